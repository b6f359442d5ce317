package e2e

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A calendar program registers, another one saves, and the push service of the
// first gets a message: from the built program, whose key outlives a restart.
func TestPush(t *testing.T) {
	type message struct {
		header http.Header
		length int
	}
	got := make(chan message, 100)
	remote := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusCreated)
		got <- message{r.Header, len(body)}
	}))
	defer remote.Close()
	s := newService(t, "example.test", []string{"alice"}, "--push-enabled", "true")
	s.env = append(s.env, "CONVENE_PUSH_ALLOW_PRIVATE=true")
	s.start()
	const at = "/dav/calendars/alice/default/"
	find := func() string {
		t.Helper()
		return s.expect(207, s.do("alice", "PROPFIND", at, `<propfind xmlns="DAV:" xmlns:P="https://bitfire.at/webdav-push"><prop><P:transports/></prop></propfind>`, "Depth", "0")).body
	}
	key := find()
	if !strings.Contains(key, "vapid-public-key") {
		t.Fatalf("no key: %s", key)
	}
	mine, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	r := s.expect(204, s.do("alice", "POST", at, `<push-register xmlns="https://bitfire.at/webdav-push" xmlns:D="DAV:"><subscription><web-push-subscription><push-resource>`+remote.URL+`/1</push-resource>`+
		`<content-encoding>aes128gcm</content-encoding><subscription-public-key type="p256dh">`+enc(mine.PublicKey().Bytes())+`</subscription-public-key><auth-secret>`+enc(make([]byte, 16))+`</auth-secret></web-push-subscription></subscription>`+
		`<trigger><content-update><D:depth>1</D:depth></content-update></trigger></push-register>`, "Content-Type", "application/xml"))
	where := strings.TrimPrefix(r.header.Get("Location"), "http://"+s.http)
	s.expect(201, s.do("alice", "PUT", at+"1.ics", event("1", "DTSTART:20310401T100000Z"), "Content-Type", "text/calendar"))
	select {
	case m := <-got:
		if !strings.HasPrefix(m.header.Get("Authorization"), "vapid t=") || m.header.Get("Content-Encoding") != "aes128gcm" || m.length < 100 {
			t.Errorf("message of %d octets with %v", m.length, m.header)
		}
	case <-time.After(time.Minute): // only when it never comes
		t.Fatal("no message came")
	}
	s.stop()
	s.start()
	if again := find(); again != key {
		t.Errorf("another key after a restart:\n%s\n%s", key, again)
	}
	s.expect(204, s.do("alice", "DELETE", where, ""))
	s.expect(404, s.do("alice", "DELETE", where, ""))
}
