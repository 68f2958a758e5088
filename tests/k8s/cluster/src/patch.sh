#!/bin/bash
# Makes local copies of two modules and changes a few lines, so that they compile with the v0.34 staging modules.
set -e
B=${CLUSTER_HOME:-${INFER_CACHE:-$HOME/.cache/libinfer}/cluster}; cd $B/src
take() { local d=$(cd / && go mod download -json $1 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'); cp -r $d $2; chmod -R u+w $2; }
if [ ! -d metrics-server ]; then take sigs.k8s.io/metrics-server@v0.7.2 metrics-server   # Config.Version was renamed to EffectiveVersion
  sed -i -e '/versionGet := version.Get()/d' -e 's/serverConfig.Version = &versionGet/serverConfig.EffectiveVersion = compatibility.DefaultBuildEffectiveVersion()/' \
    -e 's/serverConfig\.Version\.String()/version.Get().String()/' \
    -e 's#^\t"k8s.io/client-go/pkg/version"#\t"k8s.io/apiserver/pkg/util/compatibility"\n&#' metrics-server/cmd/metrics-server/app/options/options.go
fi
if [ ! -d coredns ]; then take github.com/coredns/coredns@v1.12.0 coredns   # cache.Config no longer has RetryOnError
  sed -i '/RetryOnError:/d' coredns/plugin/kubernetes/object/informer.go
fi
