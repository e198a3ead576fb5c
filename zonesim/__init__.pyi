from zonesim.api import (
    Best as Best,
)
from zonesim.api import (
    Experiment as Experiment,
)
from zonesim.api import (
    Faults as Faults,
)
from zonesim.api import (
    Interval as Interval,
)
from zonesim.api import (
    Records as Records,
)
from zonesim.api import (
    Robustness as Robustness,
)
from zonesim.api import (
    Row as Row,
)
from zonesim.api import (
    RunFault as RunFault,
)
from zonesim.api import (
    Scenario as Scenario,
)
from zonesim.api import (
    ScenarioFault as ScenarioFault,
)
from zonesim.api import (
    Sensitivities as Sensitivities,
)
from zonesim.api import (
    Study as Study,
)
from zonesim.api import (
    ZonesimError as ZonesimError,
)
from zonesim.api import (
    load as load,
)
from zonesim.version import __version__ as __version__
