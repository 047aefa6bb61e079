import { EDGE_KIND } from './edge-configuration.ts'
import { typeProblems } from './field-types.ts'
import { formatPath } from './file.ts'
import { unknownFields } from './known-fields.ts'
import { apiVersionState, kubeadmApiVersion } from './kubeadm-api.ts'
import type { Resolution } from './resolve-common.ts'

/**
 * Looks at the file as a whole: API versions that this Kubernetes' kubeadm cannot read, fields that nobody knows (a warning
 * in kubeadm's documents, where kubeadm warns too; a problem in edgeadm's own), values of a wrong type, and nothing in it for this command.
 * @param wanted the kinds of which the command needs at least one
 */
export function checkDocuments(
  { file, problems, warnings }: Resolution,
  kubernetesVersion: string,
  wanted: readonly string[],
): void {
  if (!file) return
  // Component configurations alone are enough: edgeadm writes kubeadm's own documents around them.
  const useful = [...wanted, EDGE_KIND, 'KubeletConfiguration', 'KubeProxyConfiguration']
  if (!useful.some((kind) => file.documents.has(kind)))
    problems.add(file.name, `no ${wanted.join(' or ')} was found in it`)
  for (const document of file.documents.values()) {
    if (document.apiVersion.startsWith('kubeadm.k8s.io/')) {
      const current = kubeadmApiVersion(kubernetesVersion)
      const state = apiVersionState(document.apiVersion, kubernetesVersion)
      const where = document.where(['apiVersion'])
      if (state === 'deprecated')
        warnings.push(
          `${where}: ${document.apiVersion} is deprecated; kubeadm config migrate turns it into ${current}`,
        )
      else if (state !== 'current')
        problems.add(
          where,
          `kubeadm ${kubernetesVersion} does not read ${document.apiVersion}; its version is ${current}` +
            (state === 'removed' ? ', and kubeadm config migrate of an older release converts the file' : ''),
        )
    }
    for (const { path, text } of typeProblems(document)) problems.add(document.where(path), text)
    for (const path of unknownFields(document)) {
      if (document.kind === EDGE_KIND) problems.add(document.where(path), 'there is no such field')
      else
        warnings.push(
          `${document.where(path)}: unknown field "${formatPath(path)}" in ${document.apiVersion} ${document.kind}`,
        )
    }
  }
}
