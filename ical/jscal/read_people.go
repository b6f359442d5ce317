package jscal

import (
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// addressOf is the calendar user address of a replyTo or sendTo: the one for
// mail, else any.
func addressOf(methods object) (method, address string) {
	for _, name := range append([]string{"imip", "other"}, names(methods)...) {
		if s, ok := methods[name].(string); ok && isURI(s) {
			return name, s
		}
	}
	return "", ""
}

// participants takes replyTo and participants as ORGANIZER and ATTENDEE.
func (e *entry) participants() {
	replyTo, _ := e.o["replyTo"].(object)
	method, organizer := addressOf(replyTo)
	all, _ := e.o["participants"].(object)
	addresses := map[string]string{}
	for _, key := range names(all) {
		o, _ := all[key].(object)
		sendTo, _ := o["sendTo"].(object)
		_, address := addressOf(sendTo)
		if email, ok := o["email"].(string); ok && address == "" && isURI("mailto:"+email) {
			address = "mailto:" + email
		}
		if address == "" {
			continue
		}
		addresses[key] = address
		owners, _ := o["roles"].(object)
		if organizer == "" && isTrue(owners["owner"]) {
			organizer = address
		}
	}
	var chief *ical.Property
	if organizer != "" {
		chief = ical.NewProperty("ORGANIZER", organizer)
		e.add("replyTo", chief)
		if method != "" {
			left := object{}
			for k, v := range replyTo {
				if k != method {
					left[k] = v
				}
			}
			delete(e.o, "replyTo")
			for _, k := range names(left) {
				e.prop(pointer("replyTo", k), left[k])
			}
		}
	}
	e.parts("participants", "Participant", func(key string, p *conversion) bool {
		address := addresses[key]
		if address == "" {
			return false
		}
		e.attendee(key, address, p, addresses, chief)
		return true
	})
}

// attendee takes a Participant. One who only owns the object is the organizer
// and no attendee.
func (e *entry) attendee(key, address string, p *conversion, addresses map[string]string, chief *ical.Property) {
	a := ical.NewProperty("ATTENDEE", address)
	isChief := chief != nil && chief.Address().Equal(ical.ParseAddress(address))
	list, _ := p.o["roles"].(object)
	left := object{}
	for k, v := range list {
		left[k] = v
	}
	role := ""
	has := func(names ...string) bool {
		for _, n := range names {
			if !isTrue(left[n]) {
				return false
			}
		}
		for _, n := range names {
			delete(left, n)
		}
		return true
	}
	if isChief {
		has("owner")
	}
	only := isChief && len(left) == 0 && p.o["participationStatus"] == nil && p.o["expectReply"] == nil && p.o["kind"] == nil
	switch {
	case has("attendee", "chair"), has("chair"):
		role = "CHAIR"
	case has("attendee", "optional"), has("optional"):
		role = "OPT-PARTICIPANT"
	case has("attendee"):
	case has("informational"):
		role = "NON-PARTICIPANT"
	}
	delete(p.o, "roles")
	for _, k := range names(left) {
		e.prop(pointer("participants", key, "roles", k), left[k])
	}
	set := func(param, value string) {
		if value = oneLine(value); value == "" {
			return
		}
		if !only {
			a.SetParam(param, value)
		}
		if isChief && (param == "CN" || param == "EMAIL" || param == "SENT-BY") {
			chief.SetParam(param, value)
		}
	}
	if s, ok := p.text("name"); ok {
		set("CN", s)
	}
	if s, ok := p.text("email"); ok && (chief != nil || p.o["sendTo"] != nil || "mailto:"+s != address) {
		set("EMAIL", s)
	}
	if s, ok := p.o["sentBy"].(string); ok && isURI("mailto:"+s) {
		set("SENT-BY", "mailto:"+s)
		delete(p.o, "sentBy")
	}
	sendTo, _ := p.o["sendTo"].(object)
	delete(p.o, "sendTo")
	method, _ := addressOf(sendTo)
	for _, k := range names(sendTo) {
		if k != method {
			e.prop(pointer("participants", key, "sendTo", k), sendTo[k])
		}
	}
	if only {
		jsid(chief, key)
		return
	}
	if role != "" {
		a.SetParam("ROLE", role)
	}
	if s, ok := p.word("kind", inverse(kinds)); ok {
		a.SetParam("CUTYPE", s)
	}
	status, _ := p.o["participationStatus"].(string)
	progress, _ := p.o["progress"].(string)
	for partstat, state := range participations {
		if state[0] == status && state[1] == progress && (progress == "" || e.c.Name == "VTODO") {
			a.SetParam("PARTSTAT", partstat)
			delete(p.o, "participationStatus")
			delete(p.o, "progress")
		}
	}
	if reply, ok := p.o["expectReply"].(bool); ok {
		a.SetParam("RSVP", strings.ToUpper(strconv.FormatBool(reply)))
		delete(p.o, "expectReply")
	}
	if s, ok := p.word("scheduleAgent", map[string]string{"server": "SERVER", "client": "CLIENT", "none": "NONE"}); ok {
		a.SetParam("SCHEDULE-AGENT", s)
	}
	if codes, ok := p.o["scheduleStatus"].([]any); ok {
		var list []string
		for _, c := range codes {
			if s, ok := c.(string); ok && s != "" && strings.Trim(s, "0123456789.") == "" {
				list = append(list, s)
			}
		}
		if len(list) == len(codes) && list != nil {
			a.SetParam("SCHEDULE-STATUS", strings.Join(list, ","))
			delete(p.o, "scheduleStatus")
		}
	}
	if s, ok := p.o["language"].(string); ok && isID(s) {
		a.SetParam("LANGUAGE", s)
		delete(p.o, "language")
	}
	for _, m := range [...][2]string{{"DELEGATED-TO", "delegatedTo"}, {"DELEGATED-FROM", "delegatedFrom"}, {"MEMBER", "memberOf"}} {
		ids, ok := p.o[m[1]].(object)
		var list []string
		for _, id := range names(ids) {
			if address, known := addresses[id]; known {
				list = append(list, address)
			}
		}
		if ok && list != nil && len(list) == len(ids) {
			a.SetParam(m[0], list...)
			delete(p.o, m[1])
		}
	}
	jsid(a, key)
	e.add("participants/"+key, a)
}
