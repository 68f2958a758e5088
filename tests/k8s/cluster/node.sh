#!/bin/bash
# PID 1 of the node, in its own mount, network and PID namespaces (see up.sh).
B=${CLUSTER_HOME:-${INFER_CACHE:-$HOME/.cache/libinfer}/cluster}; P=$B/etc/pki; cd $B
export HOME=$B/home PATH=$B/bin:/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p $B/hostvar/{lib,log,tmp} $B/hostrun $B/run/containerd $B/run/cg $B/var $B/log $B/etc/cni
# Private /var and /run, so that hard-coded paths (/var/lib/cni, /var/log/containers, /run/containerd/s, ...) stay under $B.
ln -sfn /run $B/hostvar/run
mount --bind $B/hostrun /run && mount --bind $B/hostvar /var
# A sysfs of this network namespace, with the cgroup v1 tree mounted again.
mount --rbind /sys/fs/cgroup $B/run/cg && umount -l /sys && mount -t sysfs sysfs /sys && mount --rbind $B/run/cg /sys/fs/cgroup && umount -l $B/run/cg
mount --make-rshared /   # after the mounts above: the kubelet needs shared propagation for volumes
# The kubelet changes these kernel-wide settings. Private files over them keep the machine's values unchanged.
mkdir -p $B/run/sysctl
for kv in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  f=$B/run/sysctl/$(echo ${kv%=*} | tr / .); echo ${kv#*=} > $f; mount --bind $f /proc/sys/${kv%=*}
done
ip link set lo up
until ip link show k8s1 >/dev/null 2>&1; do sleep 0.05; done
ip addr add 10.123.0.2/24 dev k8s1; ip link set k8s1 up; ip route add default via 10.123.0.1
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables

cat > $B/etc/containerd.toml <<X
version = 2
root = "$B/var/containerd"
state = "$B/run/containerd"
[grpc]
  address = "$B/run/containerd/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$B/var/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true   # without CAP_SYS_RESOURCE, lowering oom_score_adj is refused
  sandbox_image = "localhost/pause:1"
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$B/etc/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
X
cat > $B/etc/cni/10-bridge.conflist <<X
{"cniVersion":"0.4.0","name":"pods","plugins":[
 {"type":"bridge","bridge":"cni0","isGateway":true,"isDefaultGateway":true,"hairpinMode":true,"ipMasq":true,
  "ipam":{"type":"host-local","ranges":[[{"subnet":"10.244.0.0/24"}]],"dataDir":"$B/hostvar/ipam"}},
 {"type":"portmap","capabilities":{"portMappings":true}}]}
X
cat > $B/etc/kubelet.yaml <<X
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 0.0.0.0
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $P/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $P/kubelet-serving.crt
tlsPrivateKeyFile: $P/kubelet-serving.key
cgroupDriver: cgroupfs
containerRuntimeEndpoint: unix://$B/run/containerd/containerd.sock
failCgroupV1: false
failSwapOn: false
imageGCHighThresholdPercent: 100   # images cannot be pulled again here, so none may be collected
clusterDomain: cluster.local
clusterDNS: [10.96.0.10]
podLogsDir: $B/log/pods
volumePluginDir: $B/var/volplugins
nodeStatusUpdateFrequency: 10s
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
X
cat > $B/etc/proxy.yaml <<X
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: ${PROXY_MODE:-iptables}
clusterCIDR: 10.244.0.0/16
hostnameOverride: node1
clientConnection: {kubeconfig: $B/etc/proxy.conf}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
X
run() { local n=$1; shift; "$@" > $B/log/$n.log 2>&1 & echo $! > $B/run/$n.nspid; }
run etcd etcd --name=n --data-dir=$B/var/etcd --unsafe-no-fsync --listen-client-urls=http://127.0.0.1:2379 \
  --advertise-client-urls=http://127.0.0.1:2379 --listen-peer-urls=http://127.0.0.1:2380
rm -f $B/run/containerd/*.sock*
run containerd nice -n 5 containerd --config $B/etc/containerd.toml
run kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 --secure-port=6443 \
  --advertise-address=10.123.0.2 --service-cluster-ip-range=10.96.0.0/16 --authorization-mode=Node,RBAC \
  --enable-admission-plugins=NodeRestriction --allow-privileged=true --cert-dir=$B/etc/pki --client-ca-file=$P/ca.crt \
  --tls-cert-file=$P/apiserver.crt --tls-private-key-file=$P/apiserver.key \
  --kubelet-client-certificate=$P/admin.crt --kubelet-client-key=$P/admin.key --kubelet-certificate-authority=$P/ca.crt \
  --kubelet-preferred-address-types=InternalIP \
  --service-account-issuer=https://kubernetes.default.svc --service-account-key-file=$P/sa.pub \
  --service-account-signing-key-file=$P/sa.key --requestheader-client-ca-file=$P/front-ca.crt \
  --requestheader-allowed-names=front-proxy-client --requestheader-extra-headers-prefix=X-Remote-Extra- \
  --requestheader-group-headers=X-Remote-Group --requestheader-username-headers=X-Remote-User \
  --proxy-client-cert-file=$P/front.crt --proxy-client-key-file=$P/front.key
until ctr -a $B/run/containerd/containerd.sock version >/dev/null 2>&1; do sleep 0.1; done
for i in $B/images/*.tar; do ctr -a $B/run/containerd/containerd.sock -n k8s.io images import $i; done > $B/log/import.log 2>&1
until kubectl --kubeconfig=$B/etc/admin.conf get --raw=/readyz >/dev/null 2>&1; do sleep 0.2; done
run kube-controller-manager kube-controller-manager --kubeconfig=$B/etc/kcm.conf --use-service-account-credentials=true \
  --authentication-kubeconfig=$B/etc/kcm.conf --authorization-kubeconfig=$B/etc/kcm.conf --cert-dir=$B/etc/pki \
  --service-account-private-key-file=$P/sa.key --root-ca-file=$P/ca.crt --leader-elect=false --bind-address=127.0.0.1 \
  --cluster-signing-cert-file=$P/ca.crt --cluster-signing-key-file=$P/ca.key --service-cluster-ip-range=10.96.0.0/16 $KCM_FLAGS
run kube-scheduler kube-scheduler --kubeconfig=$B/etc/scheduler.conf --authentication-kubeconfig=$B/etc/scheduler.conf \
  --authorization-kubeconfig=$B/etc/scheduler.conf --leader-elect=false --bind-address=127.0.0.1 --cert-dir=$B/etc/pki
run kubelet kubelet --config=$B/etc/kubelet.yaml --kubeconfig=$B/etc/kubelet.conf --root-dir=$B/var/kubelet \
  --cert-dir=$B/var/kubelet/pki --hostname-override=node1 --node-ip=10.123.0.2
run kube-proxy kube-proxy --config=$B/etc/proxy.yaml
while :; do wait; sleep 1; done
