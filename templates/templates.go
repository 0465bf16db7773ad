// Package templates holds what Konbit shows people, by area: the templates of an area's pages and its words in each
// language stand in one folder. It is data: package view renders it.
//
//	layout    the frame of every page, components, and the words that several areas use
//	give      pages on which gifts are made
//	portal    donors' own pages
//	letters   emails, receipts and annual statements; the words of versioned documents never change
//	office    what finance staff read, in the office's languages
//	static    style sheet, scripts, icon
package templates

import "embed"

// FS holds every area's templates (*.html, *.txt), words (LANGUAGE.yaml) and the static files.
//
//go:embed static layout give portal letters office
var FS embed.FS
