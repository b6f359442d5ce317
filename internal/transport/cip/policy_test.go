package cip

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/gate"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/trust"
)

// Whom somebody does not want to hear is refused for them, and for nobody else.
func TestRuleOfARecipient(t *testing.T) {
	b := start(t, "b.test", []string{"ben", "bea"}, func(o *Options) {
		o.Peers = []Peer{{ServerID: "a.test", Address: "127.0.0.1:1", Password: "x"}}
	})
	rules := gate.New(b.Store, gate.Limits{}, time.Now)
	if err := rules.SetRule(t.Context(), b.actor("ben"), b.people["ben"].ID, trust.Rule{Subject: "ann@a.test", Do: trust.Never}); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c, err := cip.NewClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login("a.test", "x"); err != nil {
		t.Fatal(err)
	}
	r, err := c.SendEvent([]byte("UID:1@a.test\r\nSEQUENCE:1\r\nDTSTART:20290601T100000Z\r\nATTENDEE;ROLE=OWNER:ann@a.test\r\nATTENDEE:ben@b.test\r\nATTENDEE:bea@b.test\r\n"))
	if err != nil || !r.OK || r.Code != cip.CodePartial || len(r.Infos) != 3 || r.Infos[1].Code != cip.PermDenied || r.Infos[2].Code != cip.Tentative {
		t.Errorf("%+v, %v", r, err)
	}
}

// What comes by CIP is judged as mail is: refused domains, held senders, a
// policy that asks for signatures.
func TestPolicy(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy trust.Policy
		info   string
		state  string
	}{
		{"verify", trust.Policy{}, cip.Tentative, "applied"},
		{"a refused domain", trust.Policy{Inbound: trust.Accept, DenyDomains: []string{"a.test"}}, cip.PermDenied, calendar.StateRejected},
		{"unknown senders are held", trust.Policy{Inbound: trust.Accept, UnknownSenders: "hold"}, cip.Tentative, calendar.StateHeld},
		{"only what is signed", trust.Policy{Inbound: trust.Quarantine}, cip.Tentative, calendar.StateHeld},
		{"only what is signed by that domain", trust.Policy{SignedDomains: []string{"a.test"}}, cip.Tentative, calendar.StateHeld},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := start(t, "b.test", []string{"ben"}, func(o *Options) {
				o.Trust = tt.policy
				o.Peers = []Peer{{ServerID: "a.test", Address: "127.0.0.1:1", Password: "x"}}
			})
			conn, err := net.Dial("tcp", b.address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			c, err := cip.NewClient(conn)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Login("a.test", "x"); err != nil {
				t.Fatal(err)
			}
			const text = "UID:1@a.test\r\nSEQUENCE:1\r\nDTSTART:20290601T100000Z\r\nATTENDEE;ROLE=OWNER:ann@a.test\r\nATTENDEE:ben@b.test\r\n"
			for range 2 { // the second time it is known
				r, err := c.SendEvent([]byte(text))
				if err != nil || len(r.Infos) != 2 || r.Infos[1].Code != tt.info || r.OK != (tt.info == cip.Tentative) {
					t.Fatalf("%+v, %v", r, err)
				}
			}
			rows := b.rows(store.EntryFilter{Account: b.people["ben"].ID})
			first := rows[len(rows)-1]
			if first.State != tt.state || first.Sentence == "" || !strings.Contains(string(first.Evidence), `"peers":["a.test"]`) {
				t.Errorf("%+v", first)
			}
		})
	}
}
