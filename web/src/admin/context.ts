/** What the screens of the admin page share. */

import { inject, type InjectionKey, type Ref, type ShallowRef } from "vue";

import type { Credentials } from "../core/credentials";
import type { AdminApi, Me } from "./api";
import type { Collected } from "./collecting";
import type { Picture } from "./picture";
import type { RateMeter } from "./rates";

/** The page's way to the server. */
export interface Door {
  readonly credentials: Credentials;
  readonly api: AdminApi;
}

/** The cluster, kept up to date. */
export interface Cluster {
  /** Null until the first picture has come. */
  readonly picture: Readonly<ShallowRef<Picture | null>>;
  readonly meter: RateMeter;
  /** The last hour, for charts. */
  readonly collected: Collected;
  /** The stream is broken just now. */
  readonly isBroken: Readonly<Ref<boolean>>;
  readonly me: Me;
}

export const doorKey: InjectionKey<Door> = Symbol("door");
export const clusterKey: InjectionKey<Cluster> = Symbol("cluster");

export function useDoor(): Door {
  const door = inject(doorKey);
  if (door === undefined) throw new Error("used outside the admin page");
  return door;
}

export function useCluster(): Cluster {
  const cluster = inject(clusterKey);
  if (cluster === undefined) throw new Error("used before somebody came in");
  return cluster;
}
