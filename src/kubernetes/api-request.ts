import { explain, type Server } from '../network/no-answer.ts'
import { type Answer, ask, type Question } from '../network/request.ts'

export type ApiResponse = Answer

const API_SERVER: Omit<Server, 'where'> = {
  name: 'The master',
  program: 'API server',
  definite: 'the API server',
  addName: 'edgeadm init phase certs/apiserver --apiserver-cert-extra-sans ADDRESS',
  showDates: 'kubeadm certs check-expiration',
  port: 'the API server listens on 6443 by default',
}

/**
 * One GET of an API server.
 * @throws EdgeadmError class `discovery`: who was asked and why there is no answer
 */
export async function apiGet(question: Question): Promise<ApiResponse> {
  try {
    return await ask(question)
  } catch (error) {
    throw question.signal.aborted
      ? error
      : explain(error, { ...API_SERVER, where: new URL(question.url).host })
  }
}
