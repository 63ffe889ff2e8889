/** Files on their way into the lake. */

import { useQueryClient } from "@tanstack/react-query";
import { Check, X } from "lucide-react";
import { useRef, useState } from "react";
import { diagnosisFrom, ApiError } from "../../shared/api";
import { bytes } from "../../shared/format";
import type { Diagnosis } from "../../shared/types";
import { Bar, Button, Card } from "../../shared/ui";

export interface UploadState {
  id: number;
  name: string;
  size: number;
  part: number;
  done: boolean;
  failed: Diagnosis | null;
}

/** Sends a file with its progress, which `fetch` does not tell. */
function sendFile(uri: string, file: File, tell: (part: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `/api/object?uri=${encodeURIComponent(uri)}&create=true`);
    request.setRequestHeader("x-glulam", "console");
    request.setRequestHeader("content-type", file.type || "application/octet-stream");
    request.upload.onprogress = (event) => tell(event.lengthComputable ? event.loaded / event.total : 0);
    request.onerror = () => reject(new TypeError("the upload broke off"));
    request.onload = () => {
      if (request.status < 300) return resolve();
      try {
        reject(new ApiError(JSON.parse(request.responseText) as Diagnosis, request.status));
      } catch {
        reject(new Error(`the server answered ${request.status}`));
      }
    };
    request.send(file);
  });
}

export function useUploads(folder: string) {
  const client = useQueryClient();
  const next = useRef(0);
  const [uploads, setUploads] = useState<UploadState[]>([]);
  const change = (id: number, by: Partial<UploadState>) =>
    setUploads((all) => all.map((one) => (one.id === id ? { ...one, ...by } : one)));
  const upload = (files: File[]) => {
    for (const file of files) {
      const id = next.current++;
      setUploads((all) => [...all, { id, name: file.name, size: file.size, part: 0, done: false, failed: null }]);
      sendFile(folder + file.name, file, (part) => change(id, { part }))
        .then(() => change(id, { part: 1, done: true }))
        .catch((error: unknown) => change(id, { failed: diagnosisFrom(error) }))
        .finally(() => void client.invalidateQueries({ queryKey: ["folder"] }));
    }
  };
  return { uploads, upload, forget: () => setUploads([]) };
}

export function Uploads({ uploads, onForget, onCrawl }: { uploads: UploadState[]; onForget: () => void; onCrawl: () => void }) {
  if (uploads.length === 0) return null;
  const over = uploads.every((one) => one.done || one.failed);
  return (
    <Card title="Uploads" actions={over && (
      <>
        {uploads.some((one) => one.done) && <Button onClick={onCrawl}>Make a table of it</Button>}
        <Button kind="quiet" aria-label="Close the list of uploads" onClick={onForget}><X size={15} /></Button>
      </>
    )}>
      <div className="uploads" role="status">
        {uploads.map((one) => (
          <div className="upload" key={one.id}>
            <span>{one.name} <span className="muted">{bytes(one.size)}</span>{one.failed && <span className="removed"> {one.failed.what}</span>}</span>
            {one.failed ? <span /> : <Bar part={one.part} label={`upload of ${one.name}`} />}
            {one.done ? <Check size={15} className="added" aria-label="uploaded" /> : one.failed ? <X size={15} className="removed" aria-label="failed" /> : <span />}
          </div>
        ))}
      </div>
    </Card>
  );
}
