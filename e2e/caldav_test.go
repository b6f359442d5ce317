package e2e

import (
	"testing"

	"github.com/convene-cal/convene/internal/harness/conformance"
	"github.com/convene-cal/convene/internal/harness/pg"
)

// CalDAV, requirement by requirement, against the built program on both
// databases: the table that docs/caldav.md is written from.
func TestCalDAVConformance(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { conform(t, nil) })
	t.Run("PostgreSQL", func(t *testing.T) { conform(t, []string{"CONVENE_STORE_URL=" + pg.Database(t)}) })
}

func conform(t *testing.T, args []string) {
	s := newService(t, conformance.Domain, conformance.People, args...)
	at := "@" + conformance.Domain
	s.cli("", "account", "add", conformance.Room+at, "--kind", "room", "--no-password")
	s.cli("", "account", "add", conformance.Group+at, "--kind", "group", "--no-password")
	s.cli("", "account", "members", "add", conformance.Group+at, "bob"+at, "carol"+at)
	s.start()
	conformance.Run(t, func(t testing.TB, q conformance.Request) conformance.Response {
		t.Helper()
		a, err := s.send(q.User, q.Method, q.Path, q.Body, q.Header)
		if err != nil {
			t.Fatalf("%s %s: %v", q.Method, q.Path, err)
		}
		return conformance.Response{Status: a.status, Header: a.header, Body: a.body}
	})
}
