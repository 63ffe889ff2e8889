/** The script of an application: written, checked as it is typed, kept, started. */

import { sql } from "@codemirror/lang-sql";
import { linter } from "@codemirror/lint";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { mustBeFree, operation } from "../../shared/api";
import { Editor } from "../../shared/editor";
import { Link, navigate, path } from "../../shared/router";
import { Button, Card, ErrorBox, Field, Page } from "../../shared/ui";
import { athena, check, underline } from "../query/language";

const EXAMPLE = `CREATE TABLE metrics (
  componentName STRING, metricName STRING, \`value\` DOUBLE, publicationTimestamp TIMESTAMP(3),
  WATERMARK FOR publicationTimestamp AS publicationTimestamp - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kinesis', 'stream' = 'metrics', 'aws.region' = 'us-east-1',
  'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TABLE windows (componentName STRING, metricName STRING, highest DOUBLE, fromTimestamp TIMESTAMP(3))
WITH ('connector' = 'filesystem', 'path' = 's3://curated/live/', 'format' = 'parquet');

INSERT INTO windows
SELECT componentName, metricName, MAX(\`value\`), window_start
FROM TABLE(TUMBLE(TABLE metrics, DESCRIPTOR(publicationTimestamp), INTERVAL '5' MINUTES))
GROUP BY componentName, metricName, window_start, window_end;
`;

export function ScriptEditor({ text, onChange, height }: { text: string; onChange: (text: string) => void; height?: number }) {
  const extensions = useMemo(() => [
    sql({ dialect: athena, upperCaseKeywords: true }),
    linter(async (at) => {
      try {
        return underline(await check(at.state.doc.toString(), "default"), at.state.doc);
      } catch {
        // Without the server there is nothing to say; the next key asks again.
        return [];
      }
    }, { delay: 450 }),
  ], []);
  return <Editor value={text} onChange={onChange} extensions={extensions} label="Script" height={height ?? 420} />;
}

/** Keeps a script under a name: in the place of the one that was seen there, or as a new one. */
export function useSaving(name: string, onSaved: (text: string) => void, replaces: string | null) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (text: string) => {
      if (replaces === null) await mustBeFree("show-application", name, `there is an application \`${name}\` already`, "choose another name, or change the script of that one on its own page");
      return operation<boolean>("save-application", { name, script: { name: `${name}.sql`, text }, replaces });
    },
    onSuccess: (_, text) => {
      void client.invalidateQueries({ queryKey: ["applications"] });
      void client.invalidateQueries({ queryKey: ["application", name] });
      onSaved(text);
    },
    // What somebody else has kept meanwhile is shown.
    onError: () => void client.invalidateQueries({ queryKey: ["application", name] }),
  });
}

export function NewApplication() {
  const [name, setName] = useState("");
  const [text, setText] = useState(EXAMPLE);
  const save = useSaving(name, () => navigate(path("streams", "application", name)), null);
  return (
    <Page title="New application" subtitle={<Link href="/streams/applications">Applications</Link>}
      actions={<Button kind="primary" disabled={!/^[A-Za-z0-9_.-]{1,128}$/.test(name) || save.isPending} onClick={() => save.mutate(text)}>Keep it</Button>}>
      {save.isError && <ErrorBox error={save.error} />}
      <Card>
        <Field label="Name" hint="letters, digits, underscores, dots and hyphens"><input value={name} onChange={(event) => setName(event.target.value)} /></Field>
        <ScriptEditor text={text} onChange={setText} />
        <p className="muted small">Tables with a connector are streams or folders; each INSERT is a dataflow. Mistakes are underlined as you type.</p>
      </Card>
    </Page>
  );
}
