/** Who are you? An access key opens the console. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Logo } from "../app";
import { post } from "../shared/api";
import { Button, ErrorBox, Field } from "../shared/ui";

export function Login() {
  const client = useQueryClient();
  const [id, setId] = useState("");
  const [secret, setSecret] = useState("");
  const login = useMutation({
    mutationFn: () => post("/login", { id, secret }),
    onSuccess: () => client.invalidateQueries(),
  });
  return (
    <main className="alone">
      <form className="login card" onSubmit={(event) => {
        event.preventDefault();
        login.mutate();
      }}>
        <div className="login-head"><Logo /><h1>Glulam</h1></div>
        <p className="muted">Log in with an access key of this server.</p>
        <Field label="Access key id"><input value={id} onChange={(e) => setId(e.target.value)} autoComplete="username" autoFocus required /></Field>
        <Field label="Secret"><input type="password" value={secret} onChange={(e) => setSecret(e.target.value)} autoComplete="current-password" required /></Field>
        {login.isError && <ErrorBox error={login.error} />}
        <Button kind="primary" type="submit" disabled={login.isPending}>Log in</Button>
      </form>
    </main>
  );
}
