"""From records to KPIs."""

from zonesim.kpi.catalogue import Kpi, catalogue
from zonesim.kpi.definitions import DEFINITIONS, Definition, page, table_version
from zonesim.kpi.measure import RunResult, measure
from zonesim.kpi.reducer import Reducer

__all__ = ["DEFINITIONS", "Definition", "Kpi", "Reducer", "RunResult", "catalogue", "measure", "page", "table_version"]
