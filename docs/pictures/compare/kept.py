"""What pages of the peers keep in the browser, so that side panels and welcome messages are closed."""

KEDRO = {
    "node": {"disabled": {}},
    "nodeType": {"disabled": {"parameters": True, "task": False, "data": False}},
    "pipeline": {"active": "__default__"},
    "layer": {"visible": True},
    "tag": {"enabled": {}},
    "textLabels": True,
    "visible": {"code": False, "graph": True, "miniMap": False, "sidebar": False, "slicing": True, "traceback": False},
    "isPrettyName": False,
    "showFeatureHints": False,
    "showDatasetPreviews": True,
    "flags": {"sizewarning": True},
    "expandAllPipelines": False,
    "orientation": "vertical",
    "featureHintStep": 0,
}
"""All that the page keeps about itself: it takes the whole or nothing."""

MARIMO = {
    "marimo:sidebar": {
        "selectedPanel": "dependencies",
        "isSidebarOpen": True,
        "isDeveloperPanelOpen": False,
        "selectedDeveloperPanelTab": "errors",
    },
    "react-resizable-panels:marimo:chrome:v1:l2": {
        "app-chrome-body,app-chrome-sidebar": {"expandToSizes": {}, "layout": [75, 25]}
    },
}
"""The panel of dependencies is open, and takes three quarters of the width, which is the most."""
