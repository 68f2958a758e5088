#!/bin/bash
# Makes a self-signed CA, one serving certificate, and one client certificate and kubeconfig for each component.
set -e
B=${CLUSTER_HOME:-${INFER_CACHE:-$HOME/.cache/libinfer}/cluster}; P=$B/etc/pki; API=https://10.123.0.2:6443
mkdir -p $P; cd $P
[ -f done ] && exit 0
key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; }
ca() { key $1; openssl req -x509 -new -key $1.key -subj "/CN=$1" -days 3650 -out $1.crt; }
cert() { # name subject ca usage san
  key $1
  openssl req -new -key $1.key -subj "$2" -out $1.csr
  openssl x509 -req -in $1.csr -CA $3.crt -CAkey $3.key -CAcreateserial -days 3650 -out $1.crt \
    -extfile <(echo "keyUsage=digitalSignature,keyEncipherment"; echo "extendedKeyUsage=$4"; [ -n "$5" ] && echo "subjectAltName=$5") 2>/dev/null
  rm $1.csr
}
conf() { # arguments: name; writes a kubeconfig with embedded certificates
  cat > $B/etc/$1.conf <<X
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "$API", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: u, user: {client-certificate-data: $(base64 -w0 $1.crt), client-key-data: $(base64 -w0 $1.key)}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
X
}
ca ca; ca front-ca; key sa
openssl ec -in sa.key -pubout -out sa.pub 2>/dev/null
cert apiserver "/CN=kube-apiserver" ca serverAuth "IP:127.0.0.1,IP:10.123.0.2,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
cert kubelet-serving "/CN=system:node:node1/O=system:nodes" ca serverAuth "IP:10.123.0.2,DNS:node1"
cert front "/CN=front-proxy-client" front-ca clientAuth
cert admin "/O=system:masters/CN=admin" ca clientAuth;                conf admin
cert kubelet "/O=system:nodes/CN=system:node:node1" ca clientAuth;    conf kubelet
cert kcm "/CN=system:kube-controller-manager" ca clientAuth;          conf kcm
cert scheduler "/CN=system:kube-scheduler" ca clientAuth;             conf scheduler
cert proxy "/CN=system:kube-proxy" ca clientAuth;                     conf proxy
touch done
