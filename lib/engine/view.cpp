#include "engine/view.hpp"
