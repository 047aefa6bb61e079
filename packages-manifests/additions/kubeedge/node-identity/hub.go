package handler

import (
	"context"
	"fmt"
	"time"

	"k8s.io/klog/v2"

	"github.com/kubeedge/kubeedge/cloud/pkg/edgeadm/node"
	"github.com/kubeedge/kubeedge/pkg/viaduct/pkg/api"
	"github.com/kubeedge/kubeedge/pkg/viaduct/pkg/conn"
)

// edgeadmAdmit closes a connection, of a WebSocket or of QUIC, that is under another name than its certificate's. Upstream only
// starts no session for it: its messages are taken under the name in the header all the same.
func edgeadmAdmit(connection conn.Connection) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	state := connection.ConnectionState()
	asked := state.Headers.Get("node_id")
	name, err := node.Prove(ctx, state.PeerCertificates)
	if err == nil && name != asked {
		err = fmt.Errorf("the certificate is that of node %s", name)
	}
	if err != nil {
		klog.Errorf("[edgeadm] a connection as node %q from %v is refused: %v", asked, connection.RemoteAddr(), err)
		// Its end must not end the session of the node that has the name.
		state.Headers.Del("node_id")
		_ = connection.Close()
		return false
	}
	closed := func() bool { return connection.ConnectionState().State == api.StatDisconnected }
	node.Watch(name, state.PeerCertificates[0], closed, func() { _ = connection.Close() })
	return true
}
