use tally_sim::labs::{Axis, Plot, Point, Series};

use super::{Scale, draw};

const LINEAR: Axis = Axis { label: "time", logarithmic: false };
const LOGARITHMIC: Axis = Axis { label: "nodes", logarithmic: true };

fn plot() -> Plot {
    let points = |interval| [(1.0, 0.5), (10.0, 2.0), (100.0, 3.0)].map(|(x, y)| Point { x, y, interval }).to_vec();
    Plot {
        title: "a < b & c",
        x: LOGARITHMIC,
        y: LINEAR,
        series: vec![
            Series { name: "theory", points: points(None), is_line: true },
            Series { name: "measured", points: points(Some((0.4, 3.2))), is_line: false },
        ],
    }
}

#[test]
fn a_drawing_has_a_line_a_dot_for_each_point_and_its_texts() {
    let svg = draw(&plot());
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert_eq!(svg.matches("<polyline").count(), 1);
    assert_eq!(svg.matches("<circle").count(), 3 + 1, "and one in the legend");
    for text in ["a &lt; b &amp; c", ">theory<", ">measured<", ">time<", ">nodes<"] {
        assert!(svg.contains(text), "{text}");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

#[test]
fn scales_keep_order_and_stay_inside() {
    for axis in [LINEAR, LOGARITHMIC] {
        let scale = Scale::new(axis, [1.0, 100.0].into_iter(), 50.0, 450.0);
        let places: Vec<f64> = [-5.0, 0.5, 1.0, 7.0, 100.0, 1e9].iter().map(|value| scale.place(*value)).collect();
        assert!(places.windows(2).all(|pair| pair[0] <= pair[1]), "{places:?}");
        assert!(places.iter().all(|place| (50.0..=450.0).contains(place)), "{places:?}");
        assert!(scale.place(7.0) < scale.place(100.0));
        assert!((3..=12).contains(&scale.marks().len()), "{:?}", scale.marks());
    }
    let tenfold = Scale::new(LOGARITHMIC, [1.0, 1_000.0].into_iter(), 0.0, 1.0);
    let steps = [1.0, 10.0, 100.0].map(|value| tenfold.place(value * 10.0) - tenfold.place(value));
    assert!((steps[0] - steps[1]).abs() < 1e-9 && (steps[1] - steps[2]).abs() < 1e-9);
}

#[test]
fn nothing_to_draw_is_no_disaster() {
    let empty = Plot { series: Vec::new(), ..plot() };
    let flat = Plot {
        series: vec![Series { name: "", points: vec![Point { x: 0.0, y: 0.0, interval: None }], is_line: true }],
        ..plot()
    };
    for plot in [empty, flat] {
        let svg = draw(&plot);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
