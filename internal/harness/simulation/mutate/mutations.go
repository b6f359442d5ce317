package main

// mutation is one way to break the engine.
type mutation struct {
	name, test string
	file       string
	old, new   string // a place that is there once, and what stands there instead
}

const onPaper = "TestPaper"

var mutations = []mutation{
	{"an outdated SEQUENCE is accepted", onPaper, "itip/apply_request.go",
		"	case is.Sequence == was.Sequence:\n		return duplicate\n	}\n	return outdated", "	}\n	return newer"},
	{"anybody speaks for the organizer and the guests", onPaper, "itip/apply.go",
		"	if p.from[line.Address().Key()] {", "	if true {"},
	{"answers survive a change of the time", onPaper, "itip/plan_organizer.go",
		"			if partStat(line) != partStatNeeds {\n				line.SetParam(\"PARTSTAT\", partStatNeeds)", "			if false {\n				line.SetParam(\"PARTSTAT\", partStatNeeds)"},
	{"answers to an older time are taken for answers to the present one", onPaper, "itip/apply_reply_component.go",
		"a.Sequence < moved.Sequence || a.Sequence < r.p.mem.invitedAt(who, key)", "a.Sequence < moved.Sequence-99"},
	{"an older answer overtakes a newer one", onPaper, "itip/apply_reply_component.go",
		"if a.Sequence < last.Sequence ||", "if a.Sequence < -1 &&"},
	{"anybody cancels", onPaper, "itip/apply_cancel.go",
		"	case !ok && !designate:\n		p.end(Rejected, ReasonNotOrganizer, \"%s is not the organizer of %s and cannot cancel it.\", p.sender(), title(p.stored))\n		return\n	}\n	c :=", "	case ok && designate:\n		return\n	}\n	c :="},
	{"a delegate is not put on the list", onPaper, "itip/apply_reply_delegate.go",
		"		c.Add(q)\n		if uid := r.p.mem", "		if uid := r.p.mem"},
	{"a cancellation that came too early is thrown away", onPaper, "itip/apply_cancel.go",
		"p.end(Held, ReasonWaiting, \"A cancellation of", "p.end(Ignored, ReasonUnknownUID, \"A cancellation of"},
	{"a moved occurrence keeps its SEQUENCE", onPaper, "itip/plan_organizer.go",
		"if p.deltas[k].class&sequenced != 0 || left[k]", "if left[k]"},
	{"an occurrence that was cancelled later comes back with an older series", onPaper, "itip/merge_occurrence.go",
		"if (v.Sequence > master.Sequence ||", "if (false ||"},
	{"answers to a deleted event count for the one saved anew", onPaper, "itip/plan_organizer.go",
		"reborn := p.old.empty() && len(p.out.Memory.Uninvited) > 0", "reborn := false"},
	{"who was taken off is not invited again under another address", onPaper, "itip/plan_organizer.go",
		"at >= n && (!one || k == \"\" || sameMoment(part, k)) {", "at >= n && (!one || k == \"\" || sameMoment(part, k)) && p.is[k].find(who) >= 0 {"},
}
