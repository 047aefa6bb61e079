/** Whether what is to go into one package works together, before anything is built. */

import { checkPair } from '../kubeedge/versions.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { readRecipes } from '../package/build/read-recipe.ts'

/** @throws EdgeadmError class `usage` for a pair of Kubernetes and KubeEdge that `init` would refuse */
export async function checkBuild(recipes: readonly string[], { emit }: Reporting): Promise<void> {
  const { kubernetesVersion, components } = await readRecipes(recipes)
  const kubeEdge = components.find(({ name }) => name === 'kubeedge')?.version
  if (kubeEdge === undefined) return
  const verdict = checkPair(kubeEdge, kubernetesVersion)
  if (verdict.state === 'doubtful') emit({ type: 'warning', text: verdict.reason })
  if (verdict.state === 'refused')
    throw new EdgeadmError('usage', verdict.reason, {
      fix: 'build it without the edge: `edgeadm package build --without kubeedge …`, or take an older Kubernetes',
    })
}
