package jscal

import (
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// size reads a SIZE parameter.
func size(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 53)
	return int(n), err == nil
}

// geoURI is a GEO value as a geo: URI (RFC 5870).
func geoURI(value string) (string, bool) {
	latitude, longitude, ok := strings.Cut(value, ";")
	latitude, longitude = strings.TrimPrefix(strings.TrimSpace(latitude), "+"), strings.TrimPrefix(strings.TrimSpace(longitude), "+")
	_, err1 := strconv.ParseFloat(latitude, 64)
	_, err2 := strconv.ParseFloat(longitude, 64)
	return "geo:" + latitude + "," + longitude, ok && err1 == nil && err2 == nil
}

// location writes LOCATION, with GEO when there is one.
func (e *writing) location(p *ical.Property) {
	key := id(p, p.Value())
	there, _ := e.o["locations"].(object)
	if strings.EqualFold(p.Param("DERIVED"), "TRUE") || p.Value() == "" || there[key] != nil {
		e.keep(p)
		return
	}
	member(e.o, "locations")[key] = object{"@type": "Location", "name": p.Text()}
	e.k.rest("locations/"+key, p)
}

// geo writes GEO into the location of LOCATION, else into one of its own.
func (e *writing) geo() {
	p := e.c.Prop("GEO")
	if p == nil {
		return
	}
	uri, ok := geoURI(p.Value())
	if !ok || strings.EqualFold(p.Param("DERIVED"), "TRUE") {
		e.keep(p)
		return
	}
	key := id(p, p.Value())
	if l := e.c.Prop("LOCATION"); l != nil && !p.HasParam("JSID") {
		there, _ := e.o["locations"].(object)
		if k := id(l, l.Value()); there[k] != nil {
			key = k
		}
	}
	l, ok := member(e.o, "locations")[key].(object)
	if !ok {
		l = object{"@type": "Location"}
		member(e.o, "locations")[key] = l
	}
	l["coordinates"] = uri
	e.k.convert("locations/"+key+"/coordinates", "GEO", nil)
}

// componentID is the key of what a subcomponent becomes.
func componentID(c *ical.Component) string {
	if js := c.Text("JSID"); isID(js) {
		return js
	}
	if uid := c.Text("UID"); isID(uid) {
		return uid
	}
	return idOf(string(c.Bytes()))
}

// vlocation writes a VLOCATION (RFC 9073 7.2).
func (e *writing) vlocation(c *ical.Component) {
	key := componentID(c)
	locations := member(e.o, "locations")
	if locations[key] != nil {
		e.k.components = append(e.k.components, c)
		return
	}
	l := object{"@type": "Location"}
	var k kept
	for _, p := range c.Properties {
		switch p.Name() {
		case "JSID", "JSPROP":
		case "UID":
			if p.Text() != key || !isID(key) { // reading makes it of the key
				k.properties = append(k.properties, p)
			}
		case "NAME", "DESCRIPTION":
			name := strings.ToLower(p.Name())
			if l[name] != nil {
				k.properties = append(k.properties, p)
				continue
			}
			l[name] = p.Text()
			k.rest(name, p)
		case "LOCATION-TYPE":
			words(l, "locationTypes", p, &k)
		case "GEO", "COORDINATES":
			uri, ok := p.Value(), strings.HasPrefix(p.Value(), "geo:")
			if p.Name() == "GEO" {
				uri, ok = geoURI(p.Value())
			}
			if !ok || l["coordinates"] != nil {
				k.properties = append(k.properties, p)
				continue
			}
			l["coordinates"] = uri
			if p.Name() == "GEO" {
				k.convert("coordinates", "GEO", nil)
			}
		case "URL", "ATTACH", "IMAGE", "LINK":
			e.link(l, p, &k)
		default:
			k.properties = append(k.properties, p)
		}
	}
	k.components = append(k.components, c.Components...)
	k.put(l, c.Name)
	e.restore(l, c)
	locations[key] = l
}

// conference writes CONFERENCE (RFC 7986 5.11).
func (e *writing) conference(p *ical.Property) {
	key := id(p, p.Value())
	if there, _ := e.o["virtualLocations"].(object); there[key] != nil || !isURI(p.Value()) {
		e.keep(p)
		return
	}
	rooms := member(e.o, "virtualLocations")
	v := object{"@type": "VirtualLocation", "uri": p.Value()}
	if s := p.Param("LABEL"); s != "" {
		v["name"] = s
	}
	if list := p.ParamValues("FEATURE"); list != nil {
		features := object{}
		for _, f := range list {
			features[strings.ToLower(f)] = true
		}
		v["features"] = features
	}
	rooms[key] = v
	e.k.rest("virtualLocations/"+key, p, "LABEL", "FEATURE")
}

// method is how a calendar user is reached (RFC 8984 4.4.4).
func methodOf(a ical.Address) object {
	if email := a.Email(); email != "" {
		return object{"imip": "mailto:" + email}
	}
	return object{"other": string(a)}
}

var (
	kinds = map[string]string{"INDIVIDUAL": "individual", "GROUP": "group", "RESOURCE": "resource", "ROOM": "location"}
	// participations are PARTSTAT as participationStatus and progress.
	participations = map[string][2]string{"NEEDS-ACTION": {"needs-action"}, "ACCEPTED": {"accepted"}, "DECLINED": {"declined"}, "TENTATIVE": {"tentative"}, "DELEGATED": {"delegated"},
		"COMPLETED": {"accepted", "completed"}, "IN-PROCESS": {"accepted", "in-process"}, "FAILED": {"accepted", "failed"}}
	roles = map[string][]string{"": {"attendee"}, "REQ-PARTICIPANT": {"attendee"}, "OPT-PARTICIPANT": {"attendee", "optional"}, "NON-PARTICIPANT": {"informational"}, "CHAIR": {"attendee", "chair"}}
)

// participants writes ORGANIZER and ATTENDEE; with them, GEO, which goes into
// the location that is there by now.
func (e *writing) participants() {
	e.geo()
	ids := map[string]string{} // of addresses
	for p := range e.c.Props("ATTENDEE") {
		ids[p.Address().Key()] = id(p, p.Value())
	}
	organizer := e.c.Prop("ORGANIZER")
	if organizer != nil {
		if _, address := addressOf(methodOf(organizer.Address())); address == "" {
			e.keep(organizer)
			organizer = nil
		}
	}
	if organizer != nil {
		e.o["replyTo"] = methodOf(organizer.Address())
		e.k.rest("replyTo", organizer, "CN", "EMAIL", "SENT-BY")
		for p := range e.c.Props("ORGANIZER") {
			if p != organizer {
				e.keep(p)
			}
		}
	}
	seen := map[string]bool{}
	for p := range e.c.Props("ATTENDEE") {
		key := id(p, p.Value())
		_, address := addressOf(methodOf(p.Address()))
		if seen[key] || address == "" {
			e.keep(p) // twice, or no address
			continue
		}
		seen[key] = true
		e.attendee(p, key, ids, organizer)
	}
	if organizer == nil {
		return
	}
	list := member(e.o, "participants")
	key, attends := ids[organizer.Address().Key()]
	if !attends {
		key = id(organizer, organizer.Value())
	}
	o, ok := list[key].(object)
	if !ok {
		o = object{"@type": "Participant", "roles": set("owner"), "sendTo": methodOf(organizer.Address())}
		list[key] = o
	} else {
		member(o, "roles")["owner"] = true
	}
	person(o, organizer)
}

// person writes what ORGANIZER and ATTENDEE say of somebody.
func person(o object, p *ical.Property) {
	for _, m := range [...][2]string{{"CN", "name"}, {"EMAIL", "email"}, {"SENT-BY", "sentBy"}} {
		s := p.Param(m[0])
		if m[0] == "SENT-BY" && s != "" {
			s = ical.ParseAddress(s).Email()
		}
		if s != "" && o[m[1]] == nil {
			o[m[1]] = s
		}
	}
}

// attendee writes an ATTENDEE as a Participant (RFC 8984 4.4.6).
func (e *writing) attendee(p *ical.Property, key string, ids map[string]string, organizer *ical.Property) {
	o := object{"@type": "Participant", "sendTo": methodOf(p.Address())}
	person(o, p)
	if email := p.Address().Email(); organizer == nil && o["email"] == nil && "mailto:"+email == p.Value() {
		// RFC 8984 4.4.6: who has sendTo can reply to somebody.
		delete(o, "sendTo")
		o["email"] = email
	}
	known := []string{"CN", "EMAIL"}
	take := func(param, name string, value any) {
		o[name] = value
		known = append(known, param)
	}
	if s := p.Param("SENT-BY"); s != "" && o["sentBy"] != nil {
		known = append(known, "SENT-BY")
	}
	if kind := kinds[strings.ToUpper(p.Param("CUTYPE"))]; kind != "" {
		take("CUTYPE", "kind", kind)
	}
	list, ok := roles[strings.ToUpper(p.Param("ROLE"))]
	if ok {
		known = append(known, "ROLE")
	} else {
		list = roles[""]
	}
	o["roles"] = set(list...)
	if state, ok := participations[strings.ToUpper(p.Param("PARTSTAT"))]; ok && (state[1] == "" || e.c.Name == "VTODO") {
		take("PARTSTAT", "participationStatus", state[0])
		if state[1] != "" {
			o["progress"] = state[1]
		}
	}
	switch strings.ToUpper(p.Param("RSVP")) {
	case "TRUE":
		take("RSVP", "expectReply", true)
	case "FALSE":
		take("RSVP", "expectReply", false)
	}
	switch agent := strings.ToUpper(p.Param("SCHEDULE-AGENT")); agent {
	case "SERVER", "CLIENT", "NONE":
		take("SCHEDULE-AGENT", "scheduleAgent", strings.ToLower(agent))
	}
	if s := p.Param("SCHEDULE-STATUS"); s != "" {
		var codes []any
		for _, v := range p.ParamValues("SCHEDULE-STATUS") {
			for code := range strings.SplitSeq(v, ",") {
				codes = append(codes, strings.TrimSpace(code))
			}
		}
		take("SCHEDULE-STATUS", "scheduleStatus", codes)
	}
	if s := p.Param("LANGUAGE"); s != "" {
		take("LANGUAGE", "language", s)
	}
	for _, m := range [...][2]string{{"DELEGATED-TO", "delegatedTo"}, {"DELEGATED-FROM", "delegatedFrom"}, {"MEMBER", "memberOf"}} {
		others, all := object{}, true
		for _, v := range p.ParamValues(m[0]) {
			other, ok := ids[ical.ParseAddress(v).Key()]
			if all = all && ok; ok {
				others[other] = true
			}
		}
		// An id must be that of a participant; else the parameter is kept.
		if len(others) > 0 && all {
			take(m[0], m[1], others)
		}
	}
	member(e.o, "participants")[key] = o
	e.k.rest("participants/"+key, p, known...)
}

// implied tells what reading makes anew of the alert: the UID that is its key,
// and the text that a DISPLAY alarm must have (RFC 5545 3.6.6).
func (e *writing) implied(alarm *ical.Component, p *ical.Property, key string) bool {
	for range p.Params() {
		return false
	}
	switch p.Name() {
	case "UID":
		return p.Text() == key && isID(key)
	case "DESCRIPTION":
		return strings.EqualFold(alarm.Value("ACTION"), "DISPLAY") && p.Text() == alertText(e.c)
	}
	return false
}

// alert writes a VALARM (RFC 8984 4.5.2).
func (e *writing) alert(c *ical.Component) {
	alerts := member(e.o, "alerts")
	key := componentID(c)
	trigger := c.Prop("TRIGGER")
	o := object{"@type": "Alert"}
	drop := func() {
		e.k.components = append(e.k.components, c)
		if len(alerts) == 0 {
			delete(e.o, "alerts")
		}
	}
	if trigger == nil || alerts[key] != nil {
		drop()
		return
	}
	if strings.EqualFold(trigger.Param("VALUE"), "DATE-TIME") {
		t, err := trigger.Time()
		if err != nil {
			drop()
			return
		}
		o["trigger"] = object{"@type": "AbsoluteTrigger", "when": utc(e.zones.Instant(t))}
	} else {
		d, err := trigger.Duration()
		if err != nil {
			drop()
			return
		}
		offset := object{"@type": "OffsetTrigger", "offset": d.String()}
		if strings.EqualFold(trigger.Param("RELATED"), "END") {
			offset["relativeTo"] = "end"
		}
		o["trigger"] = offset
	}
	var k kept
	for _, p := range c.Properties {
		switch name := p.Name(); {
		case name == "TRIGGER" && p == trigger:
			k.rest("trigger", p, "RELATED")
		case name == "ACTION" && o["action"] == nil && (strings.EqualFold(p.Value(), "DISPLAY") || strings.EqualFold(p.Value(), "EMAIL")):
			o["action"] = strings.ToLower(p.Value())
		case name == "ACKNOWLEDGED":
			e.stamp(o, "acknowledged", p, &k)
		case name == "JSID" || name == "JSPROP" || e.implied(c, p, key):
		default:
			k.properties = append(k.properties, p)
		}
	}
	k.components = append(k.components, c.Components...)
	k.put(o, c.Name)
	e.restore(o, c)
	alerts[key] = o
}
