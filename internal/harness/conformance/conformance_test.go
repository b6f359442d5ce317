package conformance_test

import (
	"encoding/base64"
	"flag"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/davserver"
	"github.com/convene-cal/convene/internal/harness/conformance"
	"github.com/convene-cal/convene/internal/harness/servicetest"
	"github.com/convene-cal/convene/internal/harness/shared"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

var update = flag.Bool("update", false, "write docs/caldav.md anew")

const page = "../../../docs/caldav.md"

// The page says what the table says.
func TestDocument(t *testing.T) {
	want := conformance.Document()
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != string(want) {
		t.Error("docs/caldav.md is not what the table says; write it with: go test ./internal/harness/conformance -run TestDocument -update")
	}
}

// Each requirement of the list beside the project has its row, in its order.
func TestEachRequirementHasItsRow(t *testing.T) {
	list, err := os.ReadFile(filepath.Join(shared.Dir(t), "design", "caldav-requirements.md"))
	if err != nil {
		t.Skipf("SKIP shared: no list of requirements: %v", err)
	}
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^([A-Q]\d+) ([MSO]) `).FindAllStringSubmatch(string(list), -1) {
		want = append(want, m[1]+" "+m[2])
	}
	if got := strings.Join(conformance.IDs(), "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the rows are not those of the list:\n%s", got)
	}
}

// What is answered with yes or part has a proof, and tests that are named exist.
func TestProofs(t *testing.T) {
	for _, err := range conformance.Proofs(filepath.Join("..", "..", "..")) {
		t.Error(err)
	}
}

func TestServerInProcess(t *testing.T) {
	services := servicetest.New(storetest.SQLite(t), servicetest.Options{})
	services.Deliver()
	add := func(name, kind string) store.Account {
		n := account.NewAccount{Address: ical.Mailto(name + "@" + conformance.Domain), DisplayName: strings.ToUpper(name[:1]) + name[1:], Kind: kind}
		if kind == "" {
			n.Password = name
		}
		a, err := services.Accounts.Add(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, name := range conformance.People {
		add(name, "")
	}
	add(conformance.Room, store.Room)
	group := add(conformance.Group, store.Group)
	if err := services.Accounts.AddMembers(t.Context(), group.ID, []ical.Address{ical.Mailto("bob@" + conformance.Domain), ical.Mailto("carol@" + conformance.Domain)}); err != nil {
		t.Fatal(err)
	}
	handler := davserver.New(davserver.Options{Calendar: services.Calendar, Accounts: services.Accounts, ACL: services.ACL})
	conformance.Run(t, func(t testing.TB, q conformance.Request) conformance.Response {
		t.Helper()
		r := httptest.NewRequest(q.Method, "http://localhost"+q.Path, strings.NewReader(q.Body))
		if q.Header != nil {
			r.Header = q.Header
		}
		if q.User != "" {
			name, _, _ := strings.Cut(q.User, "@")
			r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(q.User+":"+name)))
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		body, err := io.ReadAll(w.Result().Body)
		if err != nil {
			t.Fatal(err)
		}
		if q.Method == "HEAD" { // what a server of HTTP does not send
			body = nil
		}
		return conformance.Response{Status: w.Code, Header: w.Result().Header, Body: string(body)}
	})
}
