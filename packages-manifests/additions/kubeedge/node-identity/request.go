package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/kubeedge/kubeedge/cloud/pkg/edgeadm/node"
	"github.com/kubeedge/kubeedge/common/types"
)

const (
	edgeadmMaxRequest = 64 * 1024
	edgeadmClientAuth = "[2]"
)

// edgeadmKey returns the public key of a request that asks for a node's own identity and for nothing else.
func edgeadmKey(r *http.Request, name string) (crypto.PublicKey, error) {
	if usages := strings.ReplaceAll(r.Header.Get(types.HeaderExtKeyUsages), " ", ""); usages != "" && usages != edgeadmClientAuth {
		return nil, fmt.Errorf("a node's certificate is for a client, not for the usages %s", usages)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, edgeadmMaxRequest+1))
	if err != nil || len(body) > edgeadmMaxRequest {
		return nil, errors.New("the certificate request cannot be read, or is too long")
	}
	request, err := x509.ParseCertificateRequest(body)
	if err != nil {
		return nil, fmt.Errorf("the certificate request cannot be read: %v", err)
	}
	if err := request.CheckSignature(); err != nil {
		return nil, fmt.Errorf("the certificate request is not signed with its key: %v", err)
	}
	subject := request.Subject
	if subject.CommonName != node.UserPrefix+name || len(subject.Organization) != 1 || subject.Organization[0] != node.Group {
		return nil, fmt.Errorf("node %s gets no certificate for %q", name, subject.String())
	}
	if len(request.DNSNames)+len(request.IPAddresses)+len(request.EmailAddresses)+len(request.URIs) > 0 {
		return nil, errors.New("a node's certificate has no further names")
	}
	return request.PublicKey, edgeadmGoodKey(request.PublicKey)
}

func edgeadmGoodKey(key crypto.PublicKey) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < 2048 || bits > 8192 {
			return fmt.Errorf("an RSA key has 2048 to 8192 bits, not %d", bits)
		}
		return nil
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() || key.Curve == elliptic.P384() || key.Curve == elliptic.P521() {
			return nil
		}
	case ed25519.PublicKey:
		return nil
	}
	return fmt.Errorf("a key of this kind (%T) is not taken", key)
}
