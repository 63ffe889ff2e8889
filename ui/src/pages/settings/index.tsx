/** The console's own settings, and what this server is. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { get, post } from "../../shared/api";
import { type Choice, chooseTheme, useChoice } from "../../shared/theme";
import type { SessionInfo } from "../../shared/types";
import { Button, Card, Facts, Loading, Page } from "../../shared/ui";

const THEMES: [Choice, string][] = [["system", "As the system"], ["light", "Light"], ["dark", "Dark"]];

export default function Settings() {
  const client = useQueryClient();
  const session = useQuery({ queryKey: ["session"], queryFn: () => get<SessionInfo>("/session") });
  const theme = useChoice();
  if (!session.data) return <Loading />;
  return (
    <Page title="Settings" subtitle="What this browser remembers, and which server it looks at">
      <Card title="Appearance">
        <div className="actions" role="group" aria-label="Theme">
          {THEMES.map(([key, name]) => (
            <Button key={key} aria-pressed={theme === key} onClick={() => chooseTheme(key)}>{name}</Button>
          ))}
        </div>
      </Card>
      <Card title="Server">
        <Facts facts={[
          ["Version", session.data.version],
          ["Address", location.origin],
          ["Logged in as", session.data.user ?? (session.data.needs_login ? "nobody" : "this machine's user; no login on loopback")],
        ]} />
        {session.data.user && (
          <div className="actions">
            <Button onClick={() => void post("/logout", {}).then(() => client.invalidateQueries())}>Log out</Button>
          </div>
        )}
        <p className="muted small">
          Everything else is set where the server starts: <code>glulam config</code> lists the settings with their values and where each comes from.
        </p>
      </Card>
    </Page>
  );
}
