// Package node tells which edge node a connection comes from. A certificate proves it, and nothing else does.
package node

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	hubconfig "github.com/kubeedge/kubeedge/cloud/pkg/cloudhub/config"
	"github.com/kubeedge/kubeedge/cloud/pkg/common/client"
)

const (
	// UserPrefix stands before a node's name in the common name of its certificate.
	UserPrefix = "system:node:"
	// Group is the organization in a node's certificate.
	Group = "system:nodes"
	// EdgeLabel is on the Node of each edge node.
	EdgeLabel = "node-role.kubernetes.io/edge"
)

// Prove returns the name of the edge node that the certificates of a connection belong to. CloudCore's CA has to have signed
// the one certificate, for a client of the nodes' group. The node must not have been removed since, nor be a node of the cloud.
func Prove(ctx context.Context, certificates []*x509.Certificate) (string, error) {
	name, err := NameIn(certificates)
	if err != nil {
		return "", err
	}
	if err := NotRemoved(ctx, name, certificates[0]); err != nil {
		return "", err
	}
	found, err := client.GetKubeClient().CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return name, nil
	}
	if err != nil {
		return "", fmt.Errorf("the node %s cannot be looked up: %v", name, err)
	}
	if !IsEdge(found) {
		return "", fmt.Errorf("%s is not an edge node", name)
	}
	return name, nil
}

// NameIn returns the node's name in a certificate that CloudCore's CA has signed for a client. TLS has proven the key of the
// first certificate; some clients send the CA's after it, which counts for nothing.
func NameIn(certificates []*x509.Certificate) (string, error) {
	if len(certificates) == 0 {
		return "", errors.New("a certificate of an edge node is needed")
	}
	certificate := certificates[0]
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hubconfig.Config.Ca})) {
		return "", errors.New("CloudCore's CA cannot be read")
	}
	options := x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := certificate.Verify(options); err != nil {
		return "", fmt.Errorf("the certificate is not valid: %v", err)
	}
	subject := certificate.Subject
	name, isNode := strings.CutPrefix(subject.CommonName, UserPrefix)
	if !isNode || name == "" || len(subject.Organization) != 1 || subject.Organization[0] != Group {
		return "", fmt.Errorf("the certificate is for %q, which is no node", subject.CommonName)
	}
	return name, nil
}

// IsEdge tells an edge node from one of the cloud. The label comes a moment after the Node; the version is there at once, and
// only the node itself writes it.
func IsEdge(node *corev1.Node) bool {
	_, labelled := node.Labels[EdgeLabel]
	return labelled || strings.Contains(node.Status.NodeInfo.KubeletVersion, "kubeedge")
}
