"""A geo frame handed on with its geometry and reference system."""

import geopandas as gpd
from flytekit import task, workflow
from shapely.geometry import Point


@task
def places(count: int) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"n": range(count)}, geometry=[Point(n, 0) for n in range(count)], crs="EPSG:3857")


@task
def describe(frame: gpd.GeoDataFrame) -> tuple[str, float]:
    return f"EPSG:{frame.crs.to_epsg()}", float(frame.geometry.iloc[0].distance(frame.geometry.iloc[-1]))


@workflow
def mapped(count: int) -> tuple[str, float]:
    return describe(frame=places(count=count))


ENTITY = mapped
INPUTS = {"count": 5}
EXPECTED = ("EPSG:3857", 4.0)
