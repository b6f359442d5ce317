package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// listeners asks each address of the configuration whether the service answers
// there.
func (x *examiner) listeners() {
	c := x.Config
	for _, l := range []struct {
		key, address string
		greets       string // how the protocol begins, "" where the client speaks first
	}{
		{"http.listen", c.HTTP.Listen, ""}, {"mail.lmtp-listen", c.Mail.LMTPListen, "220"}, {"mail.smtp-listen", c.Mail.SMTPListen, "220"},
		{"cip.listen", c.CIP.Listen, ""}, {"cap.listen", c.CAP.Listen, ""}, {"admin.listen", c.Admin.Listen, ""},
	} {
		if l.address == "" {
			x.say("listener", l.key, Off, "", "it is off")
			continue
		}
		x.listener(l.key, l.address, l.greets)
	}
}

func (x *examiner) listener(key, address, greets string) {
	network, where := "tcp", address
	if path, unix := strings.CutPrefix(address, "unix:"); unix {
		network, where = "unix", path
	} else if host, port, err := net.SplitHostPort(address); err == nil {
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			where = net.JoinHostPort("localhost", port)
		}
	}
	ctx, cancel := x.limited()
	defer cancel()
	conn, err := x.Dial(ctx, network, where)
	if err != nil {
		x.say("listener", key, Warning, "Start the service (convene serve) or find out in its log why it does not listen there.", "nobody answers on %s: %v", address, cause(err))
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(x.Timeout))
	if greets != "" {
		head := make([]byte, len(greets))
		if _, err := conn.Read(head); err != nil || string(head) != greets {
			x.say("listener", key, Error, "Find out what else listens there (ss -ltnp), or choose another address.", "what answers on %s is no mail server", address)
			return
		}
	}
	if key == "http.listen" {
		x.health(network, address, where)
		return
	}
	x.say("listener", key, OK, "", "somebody answers on %s", address)
}

func (x *examiner) health(network, address, where string) {
	if network != "tcp" {
		x.say("listener", "http.listen", OK, "", "somebody answers on %s", address)
		return
	}
	scheme := "http"
	if x.Config.HTTP.TLS != "off" {
		scheme = "https"
	}
	client := x.client()
	client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // the address is no name; certificate() judges the certificate
	req, err := http.NewRequestWithContext(x.ctx, http.MethodGet, scheme+"://"+where+"/readyz", nil)
	if err != nil {
		x.say("listener", "http.listen", Error, "Write host:port.", "%s is no address: %v", address, err)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		x.say("listener", "http.listen", Error, "Find out what else listens there (ss -ltnp), or choose another address.", "what answers on %s does not speak %s: %v", address, strings.ToUpper(scheme), cause(err))
		return
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		x.say("listener", "http.listen", Error, "Look into the log of the service.", "the service on %s is not ready: %s", address, resp.Status)
		return
	}
	x.say("listener", "http.listen", OK, "", "the service answers on %s and is ready", address)
}

// cause is the innermost error: what wraps it repeats the address.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// renewal is how long before its end a certificate should have been renewed.
const renewal = 14 * 24 * time.Hour

// certificate looks at the files of http.cert and http.key.
func (x *examiner) certificate() {
	c := x.Config.HTTP
	if c.TLS != "files" {
		x.say("tls", "http.tls", Off, "", "this service speaks no TLS itself")
		return
	}
	if _, err := tls.LoadX509KeyPair(c.Cert, c.Key); err != nil {
		x.say("tls", c.Cert, Error, "Give the certificate chain and its key as PEM files that the service may read.", "http.cert and http.key cannot be used: %v", err)
		return
	}
	data, err := os.ReadFile(c.Cert)
	if err != nil {
		x.say("tls", c.Cert, Error, "Make the file readable.", "%v", err)
		return
	}
	block, _ := pem.Decode(data)
	for block != nil && block.Type != "CERTIFICATE" {
		block, data = pem.Decode(data)
	}
	if block == nil {
		x.say("tls", c.Cert, Error, "Give the certificate chain as a PEM file.", "there is no certificate in it")
		return
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		x.say("tls", c.Cert, Error, "Give the certificate chain as a PEM file.", "the certificate cannot be read: %v", err)
		return
	}
	x.validity("tls", c.Cert, cert)
	if host := x.publicHost(); cert.VerifyHostname(host) != nil {
		x.say("tls", c.Cert, Error, "Get a certificate for "+host+", or correct hostname and http.public-url.", "the certificate is for %s, not for %s", strings.Join(cert.DNSNames, ", "), host)
	}
}

func (x *examiner) validity(check, subject string, cert *x509.Certificate) {
	const advice = "Renew the certificate, and restart the service if it reads it from files."
	switch left := cert.NotAfter.Sub(x.Now); {
	case x.Now.Before(cert.NotBefore):
		x.say(check, subject, Error, "Check the clock and the certificate.", "the certificate is valid only from %s", cert.NotBefore.Format(time.RFC3339))
	case left <= 0:
		x.say(check, subject, Error, advice, "the certificate ended on %s", cert.NotAfter.Format(time.DateOnly))
	case left < renewal:
		x.say(check, subject, Warning, advice, "the certificate ends on %s", cert.NotAfter.Format(time.DateOnly))
	default:
		x.say(check, subject, OK, "", "the certificate is valid until %s", cert.NotAfter.Format(time.DateOnly))
	}
}

func (x *examiner) tls(host string) *tls.Config {
	return &tls.Config{RootCAs: x.Roots, ServerName: host, Time: func() time.Time { return x.Now }}
}

// publicHost is the name that clients use.
func (x *examiner) publicHost() string {
	if u, err := url.Parse(x.Config.HTTP.PublicURL); err == nil && u.Host != "" {
		return u.Hostname()
	}
	return x.Config.Hostname
}

// publicURL goes the way that clients go (RFC 6764 5, 6).
func (x *examiner) publicURL() {
	public := x.Config.HTTP.PublicURL
	if public == "" {
		x.say("public-url", "", Off, "", "http.public-url is not set; links in mail and feeds use the name of each request")
		return
	}
	u, err := url.Parse(public)
	if err != nil {
		x.say("public-url", public, Error, "Write https://host.", "it is no URL: %v", err)
		return
	}
	if u.Scheme != "https" && !isLocal(u.Hostname()) {
		x.say("public-url", public, Warning, "Put TLS in front and write https://.", "passwords and calendars cross the network in the clear")
	}
	if !x.Network {
		return
	}
	req, err := http.NewRequestWithContext(x.ctx, http.MethodGet, strings.TrimSuffix(public, "/")+"/.well-known/caldav", nil)
	if err != nil {
		x.say("public-url", public, Error, "Write https://host.", "it is no URL: %v", err)
		return
	}
	resp, err := x.client().Do(req)
	if err != nil {
		x.say("public-url", public, Error, "Check name, firewall, proxy and certificate; clients come by this address.", "it cannot be reached: %v", cause(err))
		return
	}
	resp.Body.Close()
	if resp.TLS != nil && len(resp.TLS.PeerCertificates) > 0 {
		x.validity("public-url", public, resp.TLS.PeerCertificates[0])
	}
	if loc := resp.Header.Get("Location"); resp.StatusCode/100 != 3 || !strings.Contains(loc, "/dav/") {
		x.say("public-url", public, Error, "Pass /.well-known/caldav and /dav/ through the proxy to "+x.Config.HTTP.Listen+".", "%s/.well-known/caldav answers %s and does not lead to /dav/", strings.TrimSuffix(public, "/"), resp.Status)
		return
	}
	x.say("public-url", public, OK, "", "clients that know the address find the calendars")
}

// isLocal tells names and addresses that the world does not know (RFC 6761,
// RFC 6762, RFC 8375).
func isLocal(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback() || ip.IsPrivate()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	last := host[strings.LastIndexByte(host, '.')+1:]
	return slices.Contains([]string{"test", "example", "invalid", "localhost", "local", "internal"}, last) || strings.HasSuffix(host, ".home.arpa")
}

// domain looks for the records that clients (RFC 6764) and other mail servers
// ask for.
func (x *examiner) domain(d string) {
	if isLocal(d) {
		x.say("dns", d, Off, "", "the world does not know this domain: no records are looked for")
		return
	}
	if !x.Network {
		return
	}
	x.discovery(d)
	if x.Config.Mail.Relay == "" && x.Config.Mail.LMTPListen == "" && x.Config.Mail.SMTPListen == "" {
		return
	}
	x.incoming(d)
	x.outgoing(d)
}

// missing tells an answer that there is no such record from no answer.
func missing(err error) bool {
	var d *net.DNSError
	return errors.As(err, &d) && d.IsNotFound
}

const noAnswer = "Check the name server of this machine (/etc/resolv.conf)."

func (x *examiner) discovery(d string) {
	host := x.publicHost()
	ctx, cancel := x.limited()
	defer cancel()
	_, list, err := x.Resolver.LookupSRV(ctx, "caldavs", "tcp", d)
	record := fmt.Sprintf("Add the record:  _caldavs._tcp.%s.  IN SRV 0 1 443 %s.", d, host)
	subject := "_caldavs._tcp." + d
	switch {
	case err != nil && !missing(err):
		x.say("dns", subject, Warning, noAnswer, "there is no answer: %v", cause(err))
		return
	case len(list) == 0:
		x.say("dns", subject, Warning, record, "there is no SRV record: clients do not find the service by a mail address")
		return
	case list[0].Target == ".":
		x.say("dns", subject, Error, record, "the SRV record says that there is no such service")
		return
	}
	found := false
	for _, s := range list {
		found = found || strings.EqualFold(strings.TrimSuffix(s.Target, "."), host)
	}
	if !found {
		x.say("dns", subject, Warning, record, "the SRV record names %s, not %s", strings.TrimSuffix(list[0].Target, "."), host)
		return
	}
	x.say("dns", subject, OK, "", "clients find the service by a mail address")
	hostCtx, cancel := x.limited()
	defer cancel()
	if _, err := x.Resolver.LookupHost(hostCtx, host); err != nil {
		x.say("dns", host, Error, "Add an A or AAAA record for it.", "the name has no address: %v", cause(err))
	}
}

// mail goes to the relay, and looks whether answers have a way in.
func (x *examiner) mail() {
	c := x.Config.Mail
	if c.Relay == "" {
		x.say("relay", "mail.relay", Off, "", "no mail goes out: people of other services cannot be invited")
	} else if !x.Network || x.Relay == nil {
		x.say("relay", "mail.relay", Off, "", "it was not asked")
	} else {
		ctx, cancel := x.limited()
		defer cancel()
		if err := x.Relay(ctx); err != nil {
			x.say("relay", "mail.relay", Error, "Check mail.relay, its password and the firewall; messages wait in the journal until it answers.", "%v", err)
		} else {
			x.say("relay", "mail.relay", OK, "", "the relay answers and lets us in")
		}
	}
	if c.Relay != "" && c.LMTPListen == "" && c.SMTPListen == "" {
		x.say("mail", "mail.lmtp-listen", Warning, "Set mail.lmtp-listen and have the mail server deliver invitations there, or pipe them into convene message receive.", "mail goes out, and answers have no way in")
	}
}
