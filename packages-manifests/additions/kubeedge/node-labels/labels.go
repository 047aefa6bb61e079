package controller

import (
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
)

const edgeadmEdgeLabel = "node-role.kubernetes.io/edge"

// Labels of Kubernetes that a kubelet may give its own Node (admission plugin NodeRestriction).
var (
	edgeadmOwnLabels = map[string]bool{
		"kubernetes.io/hostname":                   true,
		"kubernetes.io/arch":                       true,
		"kubernetes.io/os":                         true,
		"beta.kubernetes.io/arch":                  true,
		"beta.kubernetes.io/os":                    true,
		"beta.kubernetes.io/instance-type":         true,
		"topology.kubernetes.io/region":            true,
		"topology.kubernetes.io/zone":              true,
		"failure-domain.beta.kubernetes.io/region": true,
		"failure-domain.beta.kubernetes.io/zone":   true,
		edgeadmEdgeLabel:                           true,
	}
	edgeadmOwnDomains = []string{"kubelet.kubernetes.io", "node.kubernetes.io"}
)

// edgeadmKeepLabels takes away what a node may not say of itself, and adds that it is an edge node.
func edgeadmKeepLabels(nodeID string, node *v1.Node) {
	if node.Labels == nil {
		node.Labels = map[string]string{}
	}
	for label := range node.Labels {
		if edgeadmReserved(label) {
			klog.Warningf("[edgeadm] node %s registers with the label %s, which it may not give itself: it is left out", nodeID, label)
			delete(node.Labels, label)
		}
	}
	node.Labels[edgeadmEdgeLabel] = ""
}

func edgeadmReserved(label string) bool {
	domain, _, qualified := strings.Cut(label, "/")
	if !qualified || edgeadmOwnLabels[label] {
		return false
	}
	for _, own := range edgeadmOwnDomains {
		if domain == own || strings.HasSuffix(domain, "."+own) {
			return false
		}
	}
	return domain == "kubernetes.io" || strings.HasSuffix(domain, ".kubernetes.io") ||
		domain == "k8s.io" || strings.HasSuffix(domain, ".k8s.io")
}
