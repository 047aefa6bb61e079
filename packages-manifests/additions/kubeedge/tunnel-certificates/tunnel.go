package edgestream

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/kubeedge/kubeedge/edge/pkg/edgestream/config"
)

// edgeadmTunnelTLS is made for each connection, so that renewed files count from the next one on. The address that is dialled has
// to be in CloudCore's certificate, which KubeEdge's own CA has signed.
func edgeadmTunnelTLS() (*tls.Config, error) {
	ca, err := os.ReadFile(config.Config.TLSTunnelCAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s has no certificate", config.Config.TLSTunnelCAFile)
	}
	certificate, err := tls.LoadX509KeyPair(config.Config.TLSTunnelCertFile, config.Config.TLSTunnelPrivateKeyFile)
	if err != nil {
		return nil, err
	}
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}, nil
}
