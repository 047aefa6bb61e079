/** The kubelet's credentials: a machine that has them is a node. */
export const KUBELET_CONF = '/etc/kubernetes/kubelet.conf'

/** The administrator's, on masters. */
export const ADMIN_CONF = '/etc/kubernetes/admin.conf'
