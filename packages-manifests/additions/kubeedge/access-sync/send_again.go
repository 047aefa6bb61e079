package controller

import (
	"context"

	controllerruntime "sigs.k8s.io/controller-runtime"

	policyv1alpha1 "github.com/kubeedge/api/apis/policy/v1alpha1"
	"github.com/kubeedge/beehive/pkg/core/model"
)

// edgeadmNameKind: controller-runtime's client leaves the kind of what it read empty. The ObjectSync of the message gets its kind
// from there, and the sync controller, which repeats what was lost, finds the object by that kind.
func edgeadmNameKind(access *policyv1alpha1.ServiceAccountAccess) {
	access.SetGroupVersionKind(policyv1alpha1.SchemeGroupVersion.WithKind("ServiceAccountAccess"))
}

// edgeadmSendAgain sends an access to all its nodes at the end of each reconciliation, thus also when CloudCore has started. Upstream
// does so only if it changed something itself; what it recorded and then did not get sent stays unsent. What a node has is
// dropped by the hub, which compares versions.
func (c *Controller) edgeadmSendAgain(ctx context.Context, request controllerruntime.Request) {
	access := &policyv1alpha1.ServiceAccountAccess{}
	if err := c.Reader.Get(ctx, request.NamespacedName, access); err != nil || !access.GetDeletionTimestamp().IsZero() {
		return
	}
	c.send2Edge(access, access.Status.NodeList, model.UpdateOperation)
}
