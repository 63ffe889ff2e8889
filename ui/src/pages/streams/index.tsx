/** Streams and the applications over them. */

import { usePath } from "../../shared/router";
import { ApplicationPage } from "./application";
import { Applications } from "./applications";
import { Streams } from "./list";
import { NewApplication } from "./script";
import { StreamPage } from "./stream";

export default function Pages() {
  const [, group, name] = usePath();
  if (group === "stream" && name) return <StreamPage key={name} name={name} />;
  if (group === "application" && name) return <ApplicationPage key={name} name={name} />;
  if (group === "new") return <NewApplication />;
  if (group === "applications") return <Applications />;
  return <Streams />;
}
