package conformance

import (
	"bytes"
	"fmt"
	"strings"
)

// Document is docs/caldav.md.
func Document() []byte {
	var b bytes.Buffer
	b.WriteString(`# CalDAV, requirement by requirement

What a strict reader of the standards asks of a CalDAV server, and what Convene answers. This page
is written from the table that tests run against the built program, on SQLite and PostgreSQL
(` + "`internal/harness/conformance`, `go test ./internal/harness/conformance -update`" + `): what stands here as *yes* was tried.

- Level: **M** the standard demands it, or common clients break without it; **S** it should be;
  **O** an extension or a choice.
- *yes*; *part*: what is missing is said; *no*: the reason. Nothing that is *no* is advertised in
  the ` + "`DAV`" + ` header.

| | yes | part | no |
|---|---|---|---|
`)
	for _, level := range []string{M, S, O} {
		n := map[string]int{}
		for _, s := range sections {
			for _, r := range s.rows {
				if r.level == level {
					n[r.answer]++
				}
			}
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d |\n", level, n[yes], n[part], n[no])
	}
	for _, s := range sections {
		fmt.Fprintf(&b, "\n## %s\n\n| | requirement | source | level | |\n|---|---|---|---|---|\n", s.title)
		for _, r := range s.rows {
			answer := r.answer
			if r.why != "" {
				answer += ": " + r.why
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.id, cell(r.what), cell(r.source), r.level, cell(answer))
		}
	}
	return b.Bytes()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
