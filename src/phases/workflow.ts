/** placeholder until the engine lands in the next commit */
export {}
