// Copyright (c) pinned.release contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// What does Renovate find in a manifest, and what does it write there for newer versions? Its own code, without a network.
// node apply.mjs RENOVATE CONFIGURATION MANIFEST '{"uv": ["0.9.8", "0.10.1"]}' prints JSON; [] tells of nothing newer.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";

const [renovate, configurationPath, manifestPath, newer] = process.argv.slice(2);
const load = (module) => import(`${renovate}/dist/${module}.js`);
const { GlobalConfig } = await load("config/global");
const { parseJson } = await load("util/common");
const { extractPackageFile } = await load("modules/manager/index");
const { get: versioningOf } = await load("modules/versioning/index");
const { applyPackageRules } = await load("util/package-rules/index");
const { doAutoReplace } = await load("workers/repository/update/branch/auto-replace");

GlobalConfig.set({ localDir: dirname(manifestPath) });
const manager = "jsonata";
const configuration = parseJson(readFileSync(configurationPath, "utf8"), configurationPath);
const custom = { ...configuration.customManagers[0], manager };

let content = readFileSync(manifestPath, "utf8");
const { deps } = (await extractPackageFile(manager, content, "releases.yml", custom)) ?? { deps: [] };
const values = {};
for (const [depIndex, dep] of deps.entries()) {
  const move = JSON.parse(newer)[dep.depName];
  if (move) {
    const [currentVersion, newVersion] = move;
    const { packageRules } = configuration;
    const ruled = await applyPackageRules({ ...dep, manager, packageFile: "releases.yml", packageRules });
    const { rangeStrategy } = ruled;
    const asked = { currentValue: dep.currentValue, rangeStrategy, currentVersion, newVersion };
    const newValue = versioningOf(dep.versioning).getNewValue(asked);
    values[dep.depName] = newValue;
    if (newValue !== dep.currentValue) {
      const upgrade = { ...custom, ...dep, depIndex, newValue, packageFile: "releases.yml" };
      content = await doAutoReplace(upgrade, content, false);
    }
  }
}
const versionings = Object.fromEntries(deps.map((dep) => [dep.depName, versioningOf(dep.versioning).isValid(dep.currentValue)]));
console.log(JSON.stringify({ deps, values, versionings, content }));
