package push

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/harness/pg"
	"github.com/convene-cal/convene/internal/harness/servicetest"
	"github.com/convene-cal/convene/internal/harness/storetest"
	"github.com/convene-cal/convene/internal/store"
)

func TestMain(m *testing.M) { pg.Main(m) }

// service is a push service that keeps what comes.
type service struct {
	status int
	head   http.Header
	got    []*http.Request
	bodies [][]byte
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.got, s.bodies = append(s.got, r), append(s.bodies, body)
	for k, v := range s.head {
		w.Header()[k] = v
	}
	w.WriteHeader(s.status)
}

// stage is a calendar with one who is told of its changes.
type stage struct {
	t      *testing.T
	now    time.Time
	svc    *calendar.Service
	ann    store.Account
	actor  account.Actor
	sender *Sender
	remote *service
	url    string
	mine   *ecdh.PrivateKey
	auth   []byte
}

func newStage(t *testing.T, s *store.Store) *stage {
	st := &stage{t: t, now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), remote: &service{status: http.StatusCreated}, auth: make([]byte, 16)}
	services := servicetest.New(s, servicetest.Options{Now: func() time.Time { return st.now }})
	st.svc = services.Calendar
	var err error
	if st.ann, err = services.Accounts.Add(t.Context(), account.NewAccount{Address: ical.Mailto("ann@example.test"), Password: "correct horse battery"}); err != nil {
		t.Fatal(err)
	}
	st.actor = services.Accounts.ActorOf(st.ann)
	srv := httptest.NewServer(st.remote)
	t.Cleanup(srv.Close)
	st.url = srv.URL
	key, err := LoadKey(t.Context(), st.svc)
	if err != nil {
		t.Fatal(err)
	}
	st.sender = New(Options{Calendar: st.svc, Key: key, Contact: "mailto:postmaster@example.test", Changed: s.Changed, AllowPrivate: true, Now: func() time.Time { return st.now }})
	if st.mine, err = ecdh.P256().GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	rand.Read(st.auth)
	return st
}

func (st *stage) register(coll string, content, property bool) store.PushRegistration {
	st.t.Helper()
	enc := base64.RawURLEncoding.EncodeToString
	secrets, err := st.sender.Secrets(enc(st.mine.PublicKey().Bytes()), enc(st.auth))
	if err != nil {
		st.t.Fatal(err)
	}
	reg, _, err := st.svc.RegisterPush(st.t.Context(), calendar.PushRequest{By: st.actor, Owner: st.ann.ID, Collection: coll, Resource: st.url + "/push/1", Secrets: secrets, Content: content, Property: property})
	if err != nil {
		st.t.Fatal(err)
	}
	return reg
}

func (st *stage) put(name string) {
	st.t.Helper()
	data := strings.ReplaceAll("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:"+name+"\nDTSTAMP:20260301T000000Z\nDTSTART:20260310T100000Z\nEND:VEVENT\nEND:VCALENDAR\n", "\n", "\r\n")
	if _, err := st.svc.Put(st.t.Context(), calendar.PutRequest{By: st.actor, Ref: calendar.Ref{Owner: st.ann.ID, Collection: "default", Name: name + ".ics"}, Data: []byte(data)}); err != nil {
		st.t.Fatal(err)
	}
}

// due sends what is due and expects a number of messages in all so far.
func (st *stage) due(want int) {
	st.t.Helper()
	if _, err := st.sender.Due(st.t.Context()); err != nil {
		st.t.Fatal(err)
	}
	if len(st.remote.got) != want {
		st.t.Fatalf("%d messages so far, want %d", len(st.remote.got), want)
	}
}

func (st *stage) last() string {
	return open(st.t, st.remote.bodies[len(st.remote.bodies)-1], st.mine, st.auth)
}

// A change is told once, encrypted, with the state that the report of a sync
// would end at; changes in quick succession are one message.
func TestMessages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		st := newStage(t, s)
		st.register("default", true, true)
		st.due(0)
		st.put("a")
		st.due(1)
		r := st.remote.got[0]
		if h := r.Header; r.Method != "POST" || h.Get("Content-Encoding") != "aes128gcm" || h.Get("TTL") == "" || h.Get("Urgency") != "normal" || len(h.Get("Topic")) > 32 || h.Get("Content-Type") != `application/xml; charset="UTF-8"` {
			t.Errorf("header %v", r.Header)
		}
		c, err := st.svc.Collection(t.Context(), st.actor, st.ann.ID, "default")
		if err != nil {
			t.Fatal(err)
		}
		if got := st.last(); !strings.Contains(got, "<topic>"+calendar.PushTopic(st.ann.ID, c.ID)+"</topic>") || !strings.Contains(got, "<d:sync-token>"+calendar.SyncToken(st.ann.ID, c.ID, c.Seq)+"</d:sync-token>") || strings.Contains(got, "property-update") {
			t.Errorf("message %s", got)
		}
		st.put("b")
		st.put("c")
		st.due(1) // not so soon
		st.now = st.now.Add(time.Minute)
		st.due(2)
		st.due(2)
		st.now = st.now.Add(time.Minute)
		if _, err := st.svc.UpdateCollection(t.Context(), st.actor, st.ann.ID, "default", func(c *store.Collection) error { c.DisplayName = "New"; return nil }); err != nil {
			t.Fatal(err)
		}
		st.due(3)
		if got := st.last(); !strings.Contains(got, "<property-update/>") || strings.Contains(got, "content-update") {
			t.Errorf("message %s", got)
		}
	})
}

// RFC 8292: the token names the push service, is of our key, and ends within a day.
func TestWhoSends(t *testing.T) {
	st := newStage(t, storetest.SQLite(t))
	st.register("default", true, false)
	st.put("a")
	st.due(1)
	token, rest, _ := strings.Cut(strings.TrimPrefix(st.remote.got[0].Header.Get("Authorization"), "vapid t="), ", k=")
	if rest != st.sender.PublicKey() {
		t.Errorf("key %s, want %s", rest, st.sender.PublicKey())
	}
	parts := strings.Split(token, ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Aud, Sub string
		Exp      int64
	}
	if err := json.Unmarshal(claims, &c); err != nil || c.Aud != st.url || c.Sub != "mailto:postmaster@example.test" || c.Exp > st.now.Add(24*time.Hour).Unix() || c.Exp <= st.now.Unix() {
		t.Errorf("claims %s, %v", claims, err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(rest)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		t.Fatalf("signature %s, %v", parts[2], err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(pub, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Error("the signature is not that of the key")
	}
	again, err := LoadKey(t.Context(), st.svc)
	if err != nil || again.Public() != st.sender.PublicKey() {
		t.Error("the key is not kept")
	}
}

// What a push service knows no more is forgotten; one that fails is asked
// again, later and later, and forgotten after days; one that asks for patience
// has it.
func TestGone(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusGone} {
		st := newStage(t, storetest.SQLite(t))
		reg := st.register("default", true, false)
		st.remote.status = status
		st.put("a")
		st.due(1)
		if err := st.svc.UnregisterPush(t.Context(), st.actor, reg.Token); err == nil {
			t.Errorf("%d: it is still registered", status)
		}
	}
	st := newStage(t, storetest.SQLite(t))
	reg := st.register("default", true, false)
	st.remote.status, st.remote.head = http.StatusTooManyRequests, http.Header{"Retry-After": {"3600"}}
	st.put("a")
	st.due(1)
	st.now = st.now.Add(30 * time.Minute)
	st.due(1)
	st.now = st.now.Add(31 * time.Minute)
	st.remote.status = http.StatusInternalServerError
	tries := 2
	st.due(tries)
	for range 3 * 24 { // hour by hour
		st.now = st.now.Add(time.Hour)
		if _, err := st.sender.Due(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(st.remote.got); n > 40 {
		t.Errorf("%d tries in three days", n)
	}
	st.now = st.now.Add(7 * time.Hour)
	if _, err := st.sender.Due(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := st.svc.UnregisterPush(t.Context(), st.actor, reg.Token); err == nil {
		t.Error("it is registered after days of failure")
	}
}

// A registration ends at its time, with the calendar, and with the right to
// read it; the last two are told.
func TestEnds(t *testing.T) {
	st := newStage(t, storetest.SQLite(t))
	reg := st.register("default", true, false)
	st.now = reg.Expires.Add(time.Second)
	st.put("a")
	st.due(0)
	if err := st.svc.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if renewed := st.register("default", true, false); renewed.Token == reg.Token {
		t.Error("what ended is kept")
	} else if err := st.svc.UnregisterPush(t.Context(), st.actor, renewed.Token); err != nil {
		t.Error(err)
	}
	st.register("tasks", true, false)
	if err := st.svc.DeleteCollection(t.Context(), calendar.DeleteCollectionRequest{By: st.actor, Owner: st.ann.ID, Collection: "tasks"}); err != nil {
		t.Fatal(err)
	}
	st.due(1)
	if got := st.last(); strings.Contains(got, "sync-token") || !strings.Contains(got, "content-update") {
		t.Errorf("message %s", got)
	}
	st.now = st.now.Add(time.Hour)
	st.due(1)
	st.register("", true, false) // the home
	st.put("b")
	st.due(2)
}

// Messages go to public addresses over TLS, and nowhere else.
func TestPrivateNetworks(t *testing.T) {
	for resource, ok := range map[string]bool{
		"https://push.example.net/x": true, "https://push.example.net:8443/x?y=z": true,
		"http://push.example.net/x": false, "https://127.0.0.1/x": false, "https://10.0.0.1/x": false, "https://[::1]/x": false, "https://[::ffff:10.0.0.1]/x": false,
		"https://localhost/x": false, "https://169.254.169.254/latest/meta-data": false, "ftp://push.example.net/x": false, "file:///etc/passwd": false, "x": false, "": false,
		"https://user:pass@push.example.net/": false, "https:x": false, "https://push.example.net/" + strings.Repeat("x", 3000): false,
	} {
		if err := check(resource, false); (err == nil) != ok {
			t.Errorf("%.60s: %v", resource, err)
		}
	}
	// A name that turns out to mean this machine is not dialled, and its registration ends.
	st := newStage(t, storetest.SQLite(t))
	reg := st.register("default", true, false)
	st.sender = New(Options{Calendar: st.svc, Key: st.sender.o.Key, Changed: st.sender.o.Changed, Now: st.sender.o.Now})
	st.put("a")
	st.due(0)
	if err := st.svc.UnregisterPush(t.Context(), st.actor, reg.Token); err == nil {
		t.Error("it is still registered")
	}
}
