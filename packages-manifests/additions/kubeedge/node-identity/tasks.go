package nodetask

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/emicklei/go-restful"
	"k8s.io/klog/v2"

	"github.com/kubeedge/kubeedge/cloud/pkg/edgeadm/node"
)

// edgeadmFromNode refuses reports of tasks that do not come from the node they are about. Upstream takes them from everybody.
func edgeadmFromNode(request *restful.Request, response *restful.Response) bool {
	ctx, cancel := context.WithTimeout(request.Request.Context(), 10*time.Second)
	defer cancel()
	name, err := node.Prove(ctx, request.Request.TLS.PeerCertificates)
	if about := request.PathParameter("nodeID"); err == nil && about != "" && about != name {
		err = fmt.Errorf("node %s reports a task of node %s", name, about)
	}
	if err == nil {
		return true
	}
	klog.Errorf("[edgeadm] a report from %s is refused: %v", request.Request.RemoteAddr, err)
	_ = response.WriteErrorString(http.StatusUnauthorized, err.Error())
	return false
}
