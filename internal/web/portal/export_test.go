package portal

import "konbit/internal/platform/fault"

// PlanLinkStates returns the page of links to plans in every state.
func PlanLinkStates() map[string]PlanLinkPage {
	all := map[string]PlanLinkPage{"wrong": {Problems: []fault.Field{{Name: "code", Phrase: "plan_link.error.wrong"}}}}
	for _, state := range []linkState{linkOpen, linkClosed, linkFailed, linkEnded, linkSent, linkHeld} {
		all["state "+string(state)] = PlanLinkPage{State: state, Action: "/plans/fresh"}
	}
	return all
}
