// Package auditlog is the area of the audit log: what staff and operators did, to what, when and why.
//
//	…/audit    newest first; ?person= ?act= ?object= ?from= ?to= narrow it
//
// Admins and auditors read it. It shows the acts of the scope, and those about staff of the scope that concern the whole
// installation. Rows link to the page of their object. Reading it is no act.
package auditlog
