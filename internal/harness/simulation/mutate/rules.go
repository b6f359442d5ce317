package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A rule of the design is taken out of the engine, and the stories of package itip
// are told again: one that nobody misses is told nowhere.
type rule struct {
	name, file string
	old, new   string
}

var rules = []rule{
	{"ADR-05: who answers", "itip/apply_reply.go", "	case !ok && !designate && !p.alias(who):", "	case !ok && !designate && p.from == nil:"},
	{"ADR-09: hidden guests", "itip/hidden.go", "func hidesGuests(o *object) bool {\n", "func hidesGuests(o *object) bool {\n	if o != nil {\n		return false\n	}\n"},
	{"CAL-01: SCHEDULE-AGENT", "itip/roster.go", "func agent(p *ical.Property) string { return upperOr(p.Param(\"SCHEDULE-AGENT\"), \"SERVER\") }", "func agent(p *ical.Property) string { return \"SERVER\" }"},
	{"CAL-05: what a guest may change", "itip/plan_attendee.go", "		case soft[x.Property] && x.New == \"\":\n			restore(c, before, x.Property)\n		default:\n			return", "		case soft[x.Property] && x.New == \"\":\n			restore(c, before, x.Property)\n		case x.New == \"-\":\n			return"},
	{"CAL-06: others' answers are theirs", "itip/plan_restore.go", "			if !asks {\n				copyParams(line, stored, \"PARTSTAT\", ", "			if !asks {\n				copyParams(line, stored, "},
	{"CAN-02: without STATUS it is about those listed", "itip/apply_cancel.go", "	return dead(msg) || msg.Prop(\"ATTENDEE\") == nil || c.p.me.line(msg) != nil", "	return true"},
	{"CAN-03: an occurrence is not the series", "itip/apply_cancel.go", "	case key == \"\":\n		c.all(is, msg)\n", "	case key != \"-\":\n		c.all(is, msg)\n"},
	{"CAN-06: the sender's SEQUENCE", "itip/apply_cancel.go", "	if sequence(comp) < n { // the", "	if n < 0 { // the"},
	{"CAN-08: only the organizer cancels", "itip/apply_cancel.go", "	case !ok && !designate:\n		p.end(Rejected, ReasonNotOrganizer, \"%s is not the organizer of %s and cannot cancel it.\", p.sender(), title(p.stored))\n		return\n	}\n	c :=", "	case !ok && !designate && p.me == nil:\n		return\n	}\n	c :="},
	{"CAN-10: who leaves an occurrence is told", "itip/plan_send.go", "		if invited(p.old, p.was, who, k) && !invited(p.new, p.is, who, k) {", "		if k == \"-\" {"},
	{"DEL-01: the delegate is asked", "itip/plan_delegate.go", "		if to == \"\" || p.c.Local != nil", "		if to != \"\" || p.c.Local != nil"},
	{"DEL-02: the delegator may hear more", "itip/apply_reply_delegate.go", "	if strings.EqualFold(line.Param(\"RSVP\"), \"TRUE\") || strings.EqualFold(line.Param(\"ROLE\"), \"NON-PARTICIPANT\") {", "	if strings.EqualFold(line.Param(\"RSVP\"), \"-\") {"},
	{"DEL-03: a delegate's answer waits", "itip/apply_reply.go", "	if !r.listed() && r.early() {", "	if !r.listed() && r.early() && p.stored == nil {"},
	{"DEL-04: the delegator is asked again", "itip/apply_reply_component.go", "	if a.PartStat == partStatDeclined && was != partStatDeclined {\n		r.reopen", "	if a.PartStat == \"-\" {\n		r.reopen"},
	{"DEL-05: no circles", "itip/apply_reply_delegate.go", "	return len(above) > maxDelegation || slices", "	return len(above) > maxDelegates && slices"},
	{"DEL-08: a designate needs consent", "itip/apply.go", "		if p.a.Consent != nil && p.a.Consent(line.Address(), by) {", "		if p.a.Consent == nil || p.a.Consent != nil {"},
	{"OTH-01: a proposal changes nothing", "itip/apply_other.go", "	p.end(Held, ReasonCounter, \"%s proposes a change of %s.%s%s%s\",", "	p.res.Object = newObject(p.a.Message.Clone(), nil).cal\n	p.end(Applied, ReasonCounter, \"%s proposes a change of %s.%s%s%s\","},
	{"OTH-05: ADD is an RDATE", "itip/apply_other.go", "	m.new.master.Add(date)\n", ""},
	{"OTH-07: REFRESH once an hour", "itip/apply_other.go", "const refreshEvery = time.Hour", "const refreshEvery = time.Nanosecond"},
	{"REC-03: everybody gets their occurrences", "itip/plan_message.go", "		if (!seek.on(rosters[k]) || dead(o.overrides[k])) && o.inSeries(k) {", "		if seek.on(nil) && o.inSeries(k) {"},
	{"REC-04: EXDATE declines", "itip/plan_attendee.go", "		if was[k] || !p.old.occurs(k) {\n			continue", "		if k != \"\" {\n			continue"},
	{"REC-05: RANGE is written out", "itip/range.go", "	if o.hasRange() == nil {\n		return nil, true", "	if o.hasRange() == nil || len(o.order) > 0 {\n		return nil, true"},
	{"REP-02: an answer changes one line", "itip/apply_reply_component.go", "	set(\"X-NUM-GUESTS\", line.Param(\"X-NUM-GUESTS\"))\n", "	set(\"X-NUM-GUESTS\", line.Param(\"X-NUM-GUESTS\"))\n	r.new.component(key).SetText(\"DESCRIPTION\", \"answered\")\n"},
	{"REP-04: occurrences are meant by the moment", "itip/object.go", "	return instantKey(zones.Instant(t))\n", "	return t.Wall.Format(\"20060102T150405Z\")\n"},
	{"REP-06: nobody is added by answering", "itip/apply_reply.go", "	if !r.listed() && (p.a.Approved || r.byGroup()) {", "	if !r.listed() {"},
	{"REP-06: policies", "itip/apply_reply.go", "	if !r.listed() && r.byPolicy() {", "	if !r.listed() && r.who == nil {"},
	{"REP-07: single answers stay", "itip/apply_reply_component.go", "(decided(own.PartStat) || !own.Stamp.Before(a.Stamp)) {\n			continue // answered by itself", "own.PartStat == \"-\" {\n			continue // answered by itself"},
	{"REP-10: Yahoo", "itip/apply_replier.go", "	case \"BUSY\":\n		return partStatAccepted\n", ""},
	{"REP-14: a failed request leaves the answer", "itip/apply_reply_component.go", "	if failed && !line.HasParam(\"PARTSTAT\") {", "	if failed && line == nil {"},
	{"REQ-03: what is the attendee's stays", "itip/merge_component.go", "		if name := q.Name(); personal[name] || strings", "		if name := q.Name(); strings"},
	{"REQ-04: asked anew, the answer is given again", "itip/merge_component.go", "	if decided(answer) && asksAgain(line) {", "	if decided(answer) && line == nil {"},
	{"REQ-06: a series leaves single occurrences as they are", "itip/merge_occurrence.go", "		case sent && p.mem.Piecewise && m.old.master != nil && !p.ourKind():\n", ""},
	{"REQ-08: another organizer is a question", "itip/apply_request.go", "	if p.ownWithoutGuests() || p.otherOrganizer() {", "	if p.ownWithoutGuests() {"},
	{"REQ-09: what one organizes is not changed from outside", "itip/apply_request.go", "	case p.me.is(p.msg.organizer(nil)) || !p.stored.empty() && roleIn(p.stored, p.me) == OrganizerRole:\n		// Our own", "	case p.me == nil:\n		// Our own"},
	{"REQ-11: REQUEST with STATUS:CANCELLED", "itip/apply_request.go", "	case allCancelled(p.msg):", "	case allCancelled(p.msg) && p.msg == nil:"},
	{"REQ-18: a REQUEST without new SEQUENCE drops no time", "itip/merge_component.go", "func keepTimes(got, was *ical.Component) {\n", "func keepTimes(got, was *ical.Component) {\n	if got != nil {\n		return\n	}\n"},
	{"SEQ-02: a lower SEQUENCE changes nothing", "itip/apply_request.go", "	case is.Sequence == was.Sequence:\n		return duplicate\n	}\n	return outdated", "	case is.Sequence == was.Sequence:\n		return duplicate\n	}\n	return newer"},
	{"SEQ-04: a CANCEL counts with the stored SEQUENCE", "itip/apply_cancel.go", "	case is.Sequence < was.Sequence:\n		c.outdated = true\n		switch", "	case is.Sequence <= was.Sequence:\n		c.outdated = true\n		switch"},
	{"SEQ-05: Exchange's counter counts where SEQUENCE does not", "itip/sequence.go", "		theirs = number(p.Value())", "		theirs = 0 * number(p.Value())"},
	{"SEQ-06: a stamp of the future is a wrong clock", "itip/sequence.go", "	if !arrival.IsZero() && at.After(arrival.Add(farFuture)) {", "	if arrival.IsZero() && at.After(arrival.Add(farFuture)) {"},
	{"SEQ-07: a change of time raises SEQUENCE", "itip/plan_organizer.go", "		if p.deltas[k].class&sequenced != 0 || left[k]", "		if left[k]"},
	{"SEQ-08: an attendee never raises SEQUENCE", "itip/plan_attendee.go", "	if sequence(c) != sequence(before) || c.Prop(\"SEQUENCE\") == nil", "	if c.Prop(\"SEQUENCE\") == nil"},
	{"SEQ-09: no override is behind its series", "itip/plan_organizer.go", "		n = max(n, floor)\n", "		n = max(n, floor-99)\n"},
	{"SEQ-11: an answer to an older time is not one to the new", "itip/apply_reply_component.go", "	if a.Sequence < moved.Sequence || a.Sequence <", "	if a.Sequence < moved.Sequence-99 || a.Sequence <"},
	{"SEQ-12: a SEQUENCE that this side forgot is passed over", "itip/plan_organizer.go", "	p.sequence = max(p.sequence, p.forgotten(p.sequence))\n", ""},
	{"SEQ-13: of two answers the later counts", "itip/apply_reply_component.go", "		if a.Sequence < last.Sequence || a.Sequence == last.Sequence && !a.Stamp.After(last.Stamp) {", "		if a.Sequence < -1 {"},
	{"SEQ-14: after a CANCEL only a higher SEQUENCE revives", "itip/apply_request.go", "	if was.Cancelled && is.Sequence <= was.Sequence {", "	if was.Cancelled && is.Sequence < was.Sequence {"},
	{"SEQ-15: a CANCEL that came first waits", "itip/apply_cancel.go", "		p.end(Held, ReasonWaiting, \"A cancellation of", "		p.end(Ignored, ReasonUnknownUID, \"A cancellation of"},
	{"SIG-02, SIG-03: what is nothing to others", "itip/plan_send.go", "	if p.deltas[k].requests() {\n		return true", "	if p.deltas[k] != nil {\n		return true"},
	{"SIG-07: what was taken back is not sent", "itip/coalesce.go", "		if len(net) == 0 && len(earlier.Changes) > 0 &&", "		if len(net) == 0 && len(earlier.Changes) < 0 &&"},
	{"SIG-08: SCHEDULE-FORCE-SEND", "itip/plan_send.go", "	if strings.EqualFold(line.Param(\"SCHEDULE-FORCE-SEND\"), string(Request)) {", "	if strings.EqualFold(line.Param(\"SCHEDULE-FORCE-SEND\"), \"-\") {"},
	{"SIG-10: the end is told to who declined too", "itip/plan_message.go", "	if bounced(p.was[\"\"].line(one.who)) {\n		return", "	if bounced(p.was[\"\"].line(one.who)) || partStat(p.was[\"\"].line(one.who)) == partStatDeclined {\n		return"},
	{"who passes an invitation on is no newer than its organizer", "itip/apply_request.go", "		v.Stamp = time.Time{}\n", "		v.Stamp = v.Stamp.Add(0 * time.Second)\n"},
	{"who loses a series that was passed on keeps what is theirs", "itip/apply_reply_delegate.go", "		if key == \"\" && !dies {\n			r.leaveWith", "		if key == \"-\" {\n			r.leaveWith"},
	{"no private property leaves", "itip/message.go", "		return !private[name]\n", "		return !private[name] || name == \"CATEGORIES\" || name == \"COMMENT\"\n"},
}

// tables is where the stories are, and what is said of them.
const (
	engineTests = "itip"
	rulesPage   = "itip/testdata/README.md"
	rulesHead   = "| rule taken out | stories that fail | among them |\n|---|---|---|\n"
)

var (
	failedStory = regexp.MustCompile(`(?m)^\s*--- FAIL: TestStories/([a-z0-9-]+) `)
	failedTest  = regexp.MustCompile(`(?m)^--- FAIL: (Test\w+)`)
)

// breakRules takes out one rule after the other and writes the table of the
// page; with write it takes the place of the one that is there.
func breakRules(only string, write bool) error {
	var table strings.Builder
	var missed []error
	table.WriteString(rulesHead)
	for _, r := range rules {
		if !strings.Contains(r.name, only) {
			continue
		}
		row, err := r.try()
		if err != nil {
			missed = append(missed, fmt.Errorf("%s: %w", r.name, err))
			continue
		}
		fmt.Print(row)
		table.WriteString(row)
	}
	if len(missed) > 0 || !write || only != "" {
		return errors.Join(missed...)
	}
	page, err := os.ReadFile(rulesPage)
	if err != nil {
		return err
	}
	at := bytes.Index(page, []byte(rulesHead))
	if at < 0 {
		return fmt.Errorf("%s has no table of rules", rulesPage)
	}
	rest := page[at:]
	for len(rest) > 0 && rest[0] == '|' {
		_, rest, _ = bytes.Cut(rest, []byte("\n"))
	}
	return os.WriteFile(rulesPage, slices.Concat(page[:at], []byte(table.String()), rest), 0o644)
}

// shown is how many of the stories that fail are named.
const shown = 4

// try takes the rule out and gives its row of the table.
func (r rule) try() (string, error) {
	overlay, drop, err := broken(r.file, r.old, r.new)
	if err != nil {
		return "", err
	}
	defer drop()
	binary := filepath.Join(filepath.Dir(overlay), "itip.test")
	if out, err := exec.Command("go", "test", "-c", "-overlay", overlay, "-o", binary, "./"+engineTests).CombinedOutput(); err != nil {
		return "", fmt.Errorf("does not compile: %s", out)
	}
	for _, tests := range []string{"^TestStories$", "."} {
		run := exec.Command(binary, "-test.run", tests)
		run.Dir = engineTests
		out, err := run.CombinedOutput()
		if err == nil {
			continue
		}
		var list, links []string
		for _, m := range failedStory.FindAllSubmatch(out, -1) {
			if name := string(m[1]); !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
		slices.Sort(list)
		for _, name := range list[:min(shown, len(list))] {
			links = append(links, fmt.Sprintf("[%s](stories/%s.txt)", strings.ReplaceAll(name, "-", " "), name))
		}
		if len(list) == 0 {
			for _, m := range failedTest.FindAllSubmatch(out, -1) {
				links = append(links, "`itip` "+string(m[1]))
			}
		}
		if len(links) == 0 {
			return "", fmt.Errorf("it fails without a test: %.2000s", out)
		}
		return fmt.Sprintf("| %s | %d | %s |\n", r.name, len(list), strings.Join(links, ", ")), nil
	}
	return "", errors.New("no story fails, and no test")
}
