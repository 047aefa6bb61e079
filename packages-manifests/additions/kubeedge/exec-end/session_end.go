package stream

import (
	"strings"

	"k8s.io/klog/v2"
)

// edgeadmAfterEnd drops a message for a session that has ended: its channel is closed. Other panics go on.
func edgeadmAfterEnd() {
	failure := recover()
	if failure == nil {
		return
	}
	if err, isError := failure.(error); isError && strings.Contains(err.Error(), "send on closed channel") {
		klog.V(2).Info("[edgeadm] a message came after the end of its session")
		return
	}
	panic(failure)
}
