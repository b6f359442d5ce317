package itip

import (
	"html"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// emailKey is the EMAIL of a line as a key, "" without one.
func emailKey(line *ical.Property) string {
	if e := line.Param("EMAIL"); e != "" {
		return ical.Mailto(e).Key()
	}
	return ""
}

// alias: the sender's address is the EMAIL of the stored attendee who answers.
func (p *applying) alias(who *ical.Property) bool {
	key := people{who.Address().Key(): true}
	for _, c := range p.stored.cal.Main() {
		if line := key.line(c); line != nil && p.from[emailKey(line)] { // the organizer stated it
			return true
		}
	}
	return false
}

// replier is the line of who answers. Of several it is the sender's; then the
// delegate's (RFC 5546 4.2.6); then the only one that is decided otherwise
// than we know (REP-09, ADR-05).
func (p *applying) replier() *ical.Property {
	var lines []*ical.Property
	seen := map[string]bool{}
	for _, c := range p.a.Message.Main() {
		for q := range c.Props("ATTENDEE") {
			if k := q.Address().Key(); k != "" && !seen[k] {
				seen[k] = true
				lines = append(lines, q)
			}
		}
	}
	switch len(lines) {
	case 0:
		return nil
	case 1:
		return lines[0]
	}
	for _, q := range lines {
		if p.from.is(q) {
			return q
		}
	}
	if len(p.from) > 0 {
		for _, q := range lines {
			if ok, designate := p.acts(q); ok || designate {
				return q
			}
		}
		return lines[0] // and acts refuses it
	}
	for _, q := range lines {
		if q.HasParam("DELEGATED-FROM") {
			return q
		}
	}
	// A delegator names the delegate as well.
	for _, q := range lines {
		if partStat(q) == partStatDelegated {
			return q
		}
	}
	var changed []*ical.Property
	cache := keys{}
	var rosters []*roster
	for _, c := range p.stored.cal.Main() {
		rosters = append(rosters, rosterOf(c, cache))
	}
	for _, q := range lines {
		key := q.Address().Key()
		if !p.me.is(q) && slices.ContainsFunc(rosters, func(r *roster) bool { line := r.line(key); return line != nil && partStat(line) != partStat(q) }) {
			changed = append(changed, q)
		}
	}
	if len(changed) == 1 {
		return changed[0]
	}
	return nil
}

func (p *applying) replierName(who *ical.Property) string {
	if who == nil {
		return p.sender()
	}
	return nameOf(person(who))
}

// answerOf is the PARTSTAT of a reply. Yahoo says it elsewhere (ITIP-06) (REP-10).
func answerOf(c *ical.Component, line *ical.Property) string {
	s := partStat(line)
	if s != partStatNeeds {
		return s
	}
	switch strings.ToUpper(strings.TrimSpace(c.Value("X-YAHOO-USER-STATUS"))) {
	case "BUSY":
		return partStatAccepted
	case "TENTATIVE":
		return partStatTentative
	case "FREE":
		return partStatDeclined
	}
	return s
}

// commentOf is the attendee's note: COMMENT, else the parameter that Google
// uses instead, in which some encode HTML (ITIP-07) (REP-11).
func commentOf(c *ical.Component, line *ical.Property) string {
	var list []string
	for q := range c.Props("COMMENT") {
		if s := strings.TrimSpace(q.Text()); s != "" {
			list = append(list, s)
		}
	}
	s := strings.Join(list, "\n")
	if s == "" {
		s = strings.TrimSpace(html.UnescapeString(ical.UnescapeText(line.Param("X-RESPONSE-COMMENT"))))
	}
	if len(s) > maxComment {
		s = strings.ToValidUTF8(s[:maxComment], "") + "…"
	}
	return s
}

// requestStatus are the codes of REQUEST-STATUS, and whether they say that no
// scheduling happened (RFC 5546 3.6: classes 3 to 5) (REP-14).
func requestStatus(c *ical.Component) (codes string, failed bool) {
	var list []string
	for q := range c.Props("REQUEST-STATUS") {
		code, _, _ := strings.Cut(q.Value(), ";")
		if code = strings.TrimSpace(code); code == "" || strings.Trim(code, "0123456789.") != "" {
			continue
		}
		failed = failed || code[0] >= '3' && code[0] <= '5'
		if !slices.Contains(list, code) {
			list = append(list, code)
		}
	}
	if len(list) == 0 {
		return statusSuccess, false // RFC 5546 3.6: absent is 2.0
	}
	return strings.Join(list, ","), failed
}
