// What the first process and its workers tell each other.
import type { MetricObjectWithValues, MetricValue } from 'prom-client'

export type Metrics = readonly MetricObjectWithValues<MetricValue<string>>[]

export type ToWorker =
  /** Take the port, before anything is known about the issuer. */
  | { readonly kind: 'bind'; readonly port: number }
  /** Build the application, take the port if that is not done, and serve. */
  | { readonly kind: 'start'; readonly issuer: string; readonly port: number }
  | { readonly kind: 'metrics'; readonly id: number }
  | { readonly kind: 'stop' }

export type FromWorker =
  | { readonly kind: 'booted' }
  | { readonly kind: 'bound'; readonly port: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'metrics'; readonly id: number; readonly metrics: Metrics }
