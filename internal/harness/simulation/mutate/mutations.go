package main

// mutation is one way to break the engine.
type mutation struct {
	name, test string
	file       string
	old, new   string // a place that is there once, and what stands there instead
}

const (
	onPaper  = "TestPaper"
	inOffice = "TestOffice"
)

var mutations = []mutation{
	{"an outdated SEQUENCE is accepted", onPaper, "itip/apply_request.go",
		"	case is.Sequence == was.Sequence:\n		return duplicate\n	}\n	return outdated", "	}\n	return newer"},
	{"anybody speaks for the organizer and the guests", onPaper, "itip/apply.go",
		"	if p.from[line.Address().Key()] {", "	if true {"},
	{"answers survive a change of the time", onPaper, "itip/plan_organizer.go",
		"			if partStat(line) != partStatNeeds {\n				line.SetParam(\"PARTSTAT\", partStatNeeds)", "			if false {\n				line.SetParam(\"PARTSTAT\", partStatNeeds)"},
	{"answers to an older time are taken for answers to the present one", onPaper, "itip/apply_reply.go",
		"a.Sequence < moved.Sequence || a.Sequence < r.p.mem.invitedAt(who, key)", "a.Sequence < 0"},
	{"an older answer overtakes a newer one", onPaper, "itip/apply_reply.go",
		"if a.Sequence < last.Sequence ||", "if a.Sequence < -1 &&"},
	{"anybody cancels", onPaper, "itip/apply_cancel.go",
		"	case !ok && !designate:\n		p.end(Rejected, ReasonNotOrganizer, \"%s is not the organizer of %s and cannot cancel it.\", p.sender(), title(p.stored))\n		return", "	case false:"},
	{"a delegate is not put on the list", onPaper, "itip/apply_reply_delegate.go",
		"		c.Add(q)\n		if r.rejoin", "		if r.rejoin"},
	{"a cancellation that came too early is thrown away", onPaper, "itip/apply_cancel.go",
		"p.end(Held, ReasonWaiting, \"A cancellation of", "p.end(Ignored, ReasonUnknownUID, \"A cancellation of"},
	{"a moved occurrence keeps its SEQUENCE", onPaper, "itip/plan_organizer.go",
		"if p.deltas[k].class&sequenced != 0 || left[k]", "if left[k]"},
	{"an occurrence that was cancelled later comes back with an older series", onPaper, "itip/merge.go",
		"if (v.Sequence > master.Sequence ||", "if (false ||"},
	{"answers to a deleted event count for the one saved anew", onPaper, "itip/plan_organizer.go",
		"reborn := p.old.empty() && len(p.out.Memory.Uninvited) > 0", "reborn := false"},
	{"who was taken off is not invited again under another address", onPaper, "itip/plan_organizer.go",
		"at >= n && (!one || k == \"\" || part == k) {", "at >= n && (!one || k == \"\" || part == k) && p.is[k].find(who) >= 0 {"},
	{"an answer to the series is read as one to an occurrence that had moved", onPaper, "itip/merge.go",
		"	return !answer.Stamp.Before(v.Stamp) || answer.Sequence > had.Sequence\n", "	return false\n"},
	{"a delegator passes on an older version and nobody notices", onPaper, "itip/apply_reply.go",
		"r.behind = have != nil && (", "r.behind = false && ("},
	{"an occurrence taken out of the own copy comes back with its title", onPaper, "itip/merge.go",
		"known && d.Start == startOf(o, is, \"DTSTART\") && d.End == endOf(o, is, \"\")", "known && false"},
	{"a journal row is lost when the process dies", inOffice, "internal/calendar/send.go",
		"now.Add(localGrace)", "now.Add(8760 * time.Hour)"},
	{"a received message is not remembered", inOffice, "internal/calendar/receive.go",
		"o.Modified, o.Memory = s.now(), memory", "o.Modified = s.now()"},
	{"a room says yes without looking", inOffice, "internal/calendar/freebusy.go",
		"taken[i].From.Before(w.To) && w.From.Before(taken[i].To)", "false"},
	{"a room answers before its copy has been told about", inOffice, "internal/journal/add.go",
		"w.State, w.Updated = Superseded, e.Created", "w.State, w.Updated = Superseded, e.Created\n			if e.Method == \"REPLY\" {\n				w.State, e.State = Due, Superseded\n			}"},
	{"a cancellation takes the place of one for another occurrence", inOffice, "internal/journal/add.go",
		"covers := whole || new.RecurrenceID == old.RecurrenceID", "covers := true"},
}
