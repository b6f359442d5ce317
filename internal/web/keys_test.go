package web

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/keyring"
)

// A key is made, its certificate handed to a colleague who believes it, and
// taken out of use; the site's are for administrators.
func TestKeys(t *testing.T) {
	o := newOffice(t, time.Now)
	o.admin("carol")
	alice, bob, carol := o.signIn("alice"), o.signIn("bob"), o.signIn("carol")
	list := ask[[]keyring.Key](alice, "POST", "keys", map[string]any{"kind": "ec"})
	if len(list) != 1 || list[0].Role != keyring.Own || len(list[0].Addresses) != 1 || list[0].Addresses[0] != "alice@example.test" {
		t.Fatalf("made: %+v", list)
	}
	own := list[0].Fingerprint
	r := alice.get("/api/keys/" + own + "/export")
	pem := text(t, r)
	if r.StatusCode != http.StatusOK || !strings.Contains(r.Header.Get("Content-Disposition"), "attachment") || !strings.Contains(pem, "BEGIN CERTIFICATE") || strings.Contains(pem, "PRIVATE") {
		t.Fatalf("export: %s %q", r.Status, pem)
	}
	if r := bob.get("/api/keys/" + own + "/export"); r.StatusCode != http.StatusNotFound {
		t.Errorf("bob exports alice's: %s", r.Status)
	}
	file := map[string]any{"data": base64.StdEncoding.EncodeToString([]byte(pem))}
	list = ask[[]keyring.Key](bob, "POST", "keys/import", file)
	if len(list) == 0 || list[0].Role != keyring.Person || list[0].State != keyring.Trusted {
		t.Errorf("bob believes: %+v", list)
	}
	site := ask[[]keyring.Key](carol, "GET", "keys?site=1", nil)
	if len(site) != 1 || site[0].Role != keyring.Authority {
		t.Errorf("the site's: %+v", site)
	}
	if r := bob.get("/api/keys/" + site[0].Fingerprint + "/export?site=1"); r.StatusCode != http.StatusOK {
		t.Errorf("bob fetches the site's authority: %s", r.Status)
	}
	if list = ask[[]keyring.Key](alice, "POST", "keys/"+own+"/revoke", map[string]any{}); list[0].State != keyring.Revoked {
		t.Errorf("after revoking: %+v", list)
	}
	if list = ask[[]keyring.Key](alice, "DELETE", "keys/"+own, nil); len(list) != 0 {
		t.Errorf("after deleting: %+v", list)
	}
	for _, c := range []struct {
		by           *browser
		method, path string
		body         any
		status       int
	}{
		{alice, "GET", "keys?site=1", nil, http.StatusForbidden},
		{alice, "POST", "keys/import?site=1", file, http.StatusForbidden},
		{alice, "POST", "keys/" + site[0].Fingerprint + "/revoke?site=1", map[string]any{}, http.StatusForbidden},
		{alice, "DELETE", "keys/" + site[0].Fingerprint + "?site=1", nil, http.StatusForbidden},
		{alice, "POST", "keys", map[string]any{"kind": "des"}, http.StatusBadRequest},
		{carol, "POST", "keys?site=1", map[string]any{"kind": "ec"}, http.StatusBadRequest},
		{alice, "POST", "keys/import", map[string]any{"data": "!"}, http.StatusBadRequest},
		{alice, "POST", "keys/import", map[string]any{"data": base64.StdEncoding.EncodeToString([]byte("nonsense"))}, http.StatusBadRequest},
		{alice, "POST", "keys/import", map[string]any{"data": base64.StdEncoding.EncodeToString([]byte("nonsense")), "own": true, "password": "x"}, http.StatusBadRequest},
		{alice, "DELETE", "keys/00000000", nil, http.StatusNotFound},
	} {
		if status, answer := c.by.try(c.method, c.path, c.body); status != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, status, answer, c.status)
		}
	}
}
