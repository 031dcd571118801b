//! Lines over a logarithmic axis, as SVG that is readable on light and dark pages.

use std::fmt::Write;

/// Points by what grows, and the nanoseconds of an answer.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Lines that share their axes.
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) lines: Vec<Line>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 56.0;
/// Room for the names of the lines.
const RIGHT: f64 = 190.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 30.0;
const COLOURS: [&str; 4] = ["#2a78c8", "#c8552a", "#3a9a5b", "#8a5cc8"];

/// All panels, one below the other.
pub(crate) fn draw(panels: &[Panel]) -> String {
    let height = HEIGHT * panels.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <title>Nanoseconds of an answer as what there is grows</title>\n\
         <style>text{{fill:#444}}.axis{{stroke:#999}}\
         @media(prefers-color-scheme:dark){{text{{fill:#ccc}}.axis{{stroke:#666}}}}</style>\n"
    );
    for (panel, at) in panels.iter().zip(0_u32..) {
        draw_panel(panel, HEIGHT * f64::from(at), &mut svg);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw_panel(panel: &Panel, top: f64, svg: &mut String) {
    let points = || panel.lines.iter().flat_map(|line| &line.points);
    let (least, most) =
        points().fold((f64::MAX, 1.0_f64), |(least, most), (x, _)| (least.min(*x), most.max(*x)));
    let highest = points().map(|(_, y)| *y).fold(0.0, f64::max);
    let step = [20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
    let step = step.into_iter().find(|step| highest / step <= 5.0).unwrap_or(2000.0);
    let ceiling = (highest / step).ceil() * step;
    let decades = (most / least).log10().max(1.0);
    let place = |x: f64| LEFT + (x / least).log10() / decades * (WIDTH - LEFT - RIGHT);
    let level = |y: f64| top + HEIGHT - BOTTOM - y / ceiling * (HEIGHT - TOP - BOTTOM);
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"600\">{}</text>",
        top + 18.0,
        panel.title
    );
    let mut y = 0.0;
    while y <= ceiling {
        let at = level(y);
        let end = WIDTH - RIGHT;
        let _ = writeln!(
            svg,
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{end}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke-opacity=\".4\"/>"
        );
        let unit = if y == ceiling { " ns" } else { "" };
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{y}{unit}</text>",
            LEFT - 6.0,
            at + 4.0
        );
        y += step;
    }
    let mut marks: Vec<f64> = points().map(|(x, _)| *x).collect();
    marks.sort_by(f64::total_cmp);
    marks.dedup();
    for x in marks {
        let at = place(x);
        let _ = writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{x}</text>",
            top + HEIGHT - 10.0
        );
    }
    for (line, colour) in panel.lines.iter().zip(COLOURS) {
        let path: Vec<String> =
            line.points.iter().map(|(x, y)| format!("{:.1},{:.1}", place(*x), level(*y))).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
    }
    // Names beside the ends of their lines, pushed apart where they would lie on one another.
    let mut ends: Vec<(f64, f64, &str, &str)> = panel
        .lines
        .iter()
        .zip(COLOURS)
        .filter_map(|(line, colour)| {
            let (x, y) = line.points.last()?;
            Some((level(*y), place(*x), line.name.as_str(), colour))
        })
        .collect();
    ends.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut free = f64::MIN;
    for (y, x, name, colour) in ends {
        let y = y.max(free);
        free = y + 15.0;
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" style=\"fill:{colour}\">{name}</text>",
            x + 8.0,
            y + 4.0
        );
    }
}
