package doctor_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net"
	"testing"
	"time"

	"github.com/convene-cal/convene/internal/config"
	"github.com/convene-cal/convene/internal/doctor"
)

// zone is a small DNS with several addresses and hosts to a name.
type zone struct {
	records
	hosts map[string]string
	mxs   []string
}

func (z zone) LookupHost(_ context.Context, name string) ([]string, error) {
	if a, ok := z.hosts[name]; ok {
		return []string{a}, nil
	}
	return nil, none(name)
}

func (z zone) LookupMX(_ context.Context, name string) (out []*net.MX, err error) {
	for _, h := range z.mxs {
		out = append(out, &net.MX{Host: h})
	}
	if out == nil {
		err = none(name)
	}
	return out, err
}

// The records of the site are held against the mail that it sends: by which way
// it leaves, which key signs it, and what others are told to do otherwise.
func TestMailRecordsFitWhatIsSent(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	p := base64.StdEncoding.EncodeToString(public)
	good := "v=DKIM1; k=ed25519; p=" + p
	const (
		d     = "convene-cal.org"
		named = "v=spf1 a:relay.convene-cal.org -all"
		other = "v=spf1 ip4:198.51.100.7 -all"
		no    = "v=DMARC1; p=reject"
	)
	type want map[string]string
	for _, c := range []struct {
		name  string
		sub   bool // examine team.convene-cal.org
		key   bool
		relay string
		txt   map[string][]string
		mx    []string
		want  want
	}{
		{"all fits", false, true, "", map[string][]string{d: {named}, "cal._domainkey." + d: {good}, "_dmarc." + d: {no}}, []string{"mx." + d + "."},
			want{"SPF": "ok: names relay.convene-cal.org", "DKIM": "ok", "DMARC": "ok: reject", "MX": "ok: mx.convene-cal.org"}},
		{"the relay signs", false, false, "", map[string][]string{d: {named}, "_dmarc." + d: {no}}, nil, want{"SPF": "ok", "DKIM": doctor.Off, "DMARC": "ok"}},
		{"another server sends", false, true, "", map[string][]string{d: {other}, "cal._domainkey." + d: {good}, "_dmarc." + d: {no}}, nil, want{"SPF": "warning: does not name relay.convene-cal.org (203.0.113.5)", "DKIM": "ok", "DMARC": "ok"}},
		{"another server sends, and nobody signs", false, false, "", map[string][]string{d: {other}, "_dmarc." + d: {no}}, nil, want{"DMARC": "warning: unless the relay signs our mail for convene-cal.org, it is refused"}},
		{"neither shows that it is ours", false, true, "", map[string][]string{d: {other}, "cal._domainkey." + d: {"v=DKIM1; k=ed25519; p="}, "_dmarc." + d: {"v=DMARC1;p=quarantine"}}, nil,
			want{"DKIM": "error: revoked", "DMARC": "error: put aside as spam"}},
		{"the relay is this machine", false, false, "smtp://localhost:25", map[string][]string{d: {"v=spf1 ip4:203.0.113.9 -all"}, "_dmarc." + d: {no}}, nil, want{"SPF": "ok: names cal.convene-cal.org"}},
		{"the relay is nowhere", false, false, "smtp://10.0.0.1:25", map[string][]string{d: {named}, "_dmarc." + d: {no}}, nil, want{"SPF": "warning: does not name cal.convene-cal.org"}},
		{"softfail", false, false, "", map[string][]string{d: {"v=spf1 ~all"}}, nil, want{"SPF": "warning: suspect"}},
		{"two SPF records", false, false, "", map[string][]string{d: {named, other}}, nil, want{"SPF": "error: 2 records"}},
		{"an SPF record with a fault", false, false, "", map[string][]string{d: {"v=spf1 ip4:300.1.1.1 -all"}}, nil, want{"SPF": "error: has a fault"}},
		{"an SPF record that goes in a circle", false, false, "", map[string][]string{d: {"v=spf1 include:" + d + " -all"}}, nil, want{"SPF": "error: has a fault"}},
		{"no DKIM record", false, true, "", map[string][]string{d: {named}}, nil, want{"DKIM": "error: is not there"}},
		{"two DKIM records", false, true, "", map[string][]string{"cal._domainkey." + d: {good, good}}, nil, want{"DKIM": "error: 2 records"}},
		{"a DKIM record of another kind of key", false, true, "", map[string][]string{"cal._domainkey." + d: {"v=DKIM1; p=" + p}}, nil, want{"DKIM": "error: ed25519"}},
		{"a DKIM record for SHA-1 alone", false, true, "", map[string][]string{"cal._domainkey." + d: {"v=DKIM1; h=sha1; k=ed25519; p=" + p}}, nil, want{"DKIM": "error: SHA-256"}},
		{"a DKIM record for something else", false, true, "", map[string][]string{"cal._domainkey." + d: {"v=DKIM1; s=tlsrpt; k=ed25519; p=" + p}}, nil, want{"DKIM": "error: not for mail"}},
		{"a DKIM record that is none", false, true, "", map[string][]string{"cal._domainkey." + d: {"hello"}}, nil, want{"DKIM": "error: cannot be read"}},
		{"a DKIM record on trial", false, true, "", map[string][]string{"cal._domainkey." + d: {"v=DKIM1; t=y:s; k=ed25519; p=" + p}}, nil, want{"DKIM": "warning: t=y"}},
		{"two DMARC records", false, false, "", map[string][]string{"_dmarc." + d: {no, no}}, nil, want{"DMARC": "error: 2 records"}},
		{"a DMARC record without a policy", false, false, "", map[string][]string{"_dmarc." + d: {"v=DMARC1; p=perhaps"}}, nil, want{"DMARC": "error: no policy"}},
		{"a DMARC record that only asks for reports", false, false, "", map[string][]string{"_dmarc." + d: {"v=DMARC1; rua=mailto:a@b.test"}}, nil, want{"DMARC": "warning: none"}},
		{"the policy of the domain above", true, false, "", map[string][]string{"team." + d: {named}, "_dmarc." + d: {"v=DMARC1; p=none; sp=reject"}}, nil, want{"DMARC": "ok: reject (of convene-cal.org)"}},
		{"an MX that is an address", false, false, "", nil, []string{"192.0.2.1."}, want{"MX": "error: has to be a name"}},
		{"an MX that leads nowhere", false, false, "", nil, []string{"gone." + d + "."}, want{"MX": "error: has no address"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config.Default()
			cfg.Data, cfg.Hostname, cfg.Domains = t.TempDir(), "cal."+d, []string{d}
			name := d
			if c.sub {
				name = "team." + d
				cfg.Domains = []string{name}
			}
			if cfg.Mail.Relay = "smtp://relay." + d; c.relay != "" {
				cfg.Mail.Relay = c.relay
			}
			if c.key {
				cfg.Mail.DKIMKey, cfg.Mail.DKIMSelector = key, "cal"
			}
			found := examine(t, doctor.Options{Config: cfg, Now: released, Network: true, Timeout: time.Second, Resolver: zone{records{txt: c.txt},
				map[string]string{"relay." + d: "203.0.113.5", "cal." + d: "203.0.113.9", "mx." + d: "203.0.113.6"}, c.mx}})
			all := map[string]string{}
			for check, state := range c.want {
				all["dns "+check+" "+name] = state
			}
			expect(t, found, all)
		})
	}
}
