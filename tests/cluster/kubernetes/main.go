// Every daemon of a Kubernetes cluster in one binary, so that they share one build and one copy of their text in memory.
//
// The first argument names the daemon, the others are its own flags: `kubernetes kube-apiserver --etcd-servers=…`.
// Versions stand in go.mod; build.py builds this file and keeps the result outside the tree.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// Only the daemon that runs is made: each one registers its flags and metrics in the process.
var daemons = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": manager.NewControllerManagerCommand,
	"kube-proxy":              proxy.NewProxyCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
}

func main() {
	if len(os.Args) > 1 {
		if os.Args[1] == "etcd" {
			etcdmain.Main(os.Args[1:])
			return
		}
		if daemon, known := daemons[os.Args[1]]; known {
			os.Args = os.Args[1:]
			os.Exit(cli.Run(daemon()))
		}
	}
	fmt.Fprintln(os.Stderr, "the first argument must be etcd, kube-apiserver, kube-controller-manager, kube-proxy, kube-scheduler or kubelet")
	os.Exit(2)
}
