/** Where CloudCore and what belongs to it may run: on the masters that are on record, by their names. */

/**
 * No label is asked. A label can be put on a Node by whoever may change that Node; its name is what its certificate proves.
 * Terms are alternatives, and each can name one node only.
 */
export const termsFor = (nodes: readonly string[]) =>
  nodes.map((node) => ({ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }))
