package cloudstream

import "k8s.io/klog/v2"

// edgeadmEndEarlier closes the tunnel that the same node had until now. Its session then ends by itself, and edgecore dials again
// after two seconds. Nodes behind one address share the key of that address: a tunnel of another node stays open.
func edgeadmEndEarlier(s *TunnelServer, key string, session *Session) {
	earlier, found := s.getSession(key)
	if !found || earlier == session || earlier.sessionID != session.sessionID {
		return
	}
	if err := earlier.tunnel.Close(); err == nil {
		klog.Infof("[edgeadm] the earlier tunnel of node %s is closed: another one was opened", session.sessionID)
	}
}
