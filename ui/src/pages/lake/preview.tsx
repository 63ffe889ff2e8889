/** A file's first rows, whatever its format. */

import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { download, post } from "../../shared/api";
import { RowsGrid } from "../../shared/grid";
import type { Rows } from "../../shared/types";
import { Button, Card, Empty, ErrorBox, Loading, Tag } from "../../shared/ui";

export function Preview({ uri, onClose }: { uri: string; onClose: () => void }) {
  const preview = useQuery({
    queryKey: ["preview", uri],
    queryFn: ({ signal }) => post<Rows>("/preview", { uri }, signal),
  });
  return (
    <Card flush title={<span className="file"><span className="mono">{uri}</span>{preview.data?.format && <Tag>{preview.data.format}</Tag>}</span>}
      actions={(
        <>
          <Button kind="quiet" onClick={() => download(`/object?uri=${encodeURIComponent(uri)}`)}><Download size={15} />Download</Button>
          <Button onClick={onClose}>Close</Button>
        </>
      )}>
      {preview.isPending && <Loading what="Looking into the file" />}
      {preview.isError && <div className="card-body"><ErrorBox error={preview.error} /></div>}
      {preview.data && (preview.data.rows.length === 0 ? <Empty title="The file has no rows" />
        : <RowsGrid columns={preview.data.columns} rows={preview.data.rows} more={preview.data.more} label={`First rows of ${uri}`} />)}
    </Card>
  );
}
