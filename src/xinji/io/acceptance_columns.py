"""What the columns of a build office's sheets may be called, in English and Chinese: one table for all readers."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from xinji.core.facilities import STATES
from xinji.errors import Fault

ACCEPTANCE_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "id": ("facility", "facility id", "编号", "设施编号", "资产编号", "站点编号", "站址编码", "设备编号"),
    "state": ("status", "状态", "建设状态", "设施状态", "进度"),
    "date": ("day", "acceptance date", "日期", "验收日期", "完成日期", "状态日期"),
    "contract": ("contract no", "contract number", "合同编号", "合同号"),
    "contractor": ("施工单位", "承包单位", "承建单位", "中标单位"),
    "contract_capex": ("contract sum", "contract amount", "合同金额", "合同价", "合同价款", "签约金额"),
    "settled_capex": ("settled sum", "settlement", "结算金额", "审定金额", "决算金额"),
    "payment": ("本次付款", "本次支付", "付款金额"),
    "paid_total": ("paid", "paid to date", "已付金额", "累计付款", "累计支付", "已付款"),
    "payment_reference": ("voucher", "付款凭证", "付款凭证号", "凭证号", "发票号"),
    "longitude": ("lon", "lng", "经度", "竣工经度"),
    "latitude": ("lat", "纬度", "竣工纬度"),
    "x_m": ("x", "easting", "x坐标", "竣工x坐标", "横坐标"),
    "y_m": ("y", "northing", "y坐标", "竣工y坐标", "纵坐标"),
    "survey": ("survey method", "测量方法", "测量方式", "坐标来源"),
    "evidence": ("evidence file", "证据文件", "附件", "验收报告", "证明材料"),
    "project": ("project id", "项目编号", "所属项目", "项目"),
    "area": ("区域", "乡镇", "街道", "园区", "片区"),
    "technology": ("专业", "技术", "技术类别"),
    "kind": ("type", "类型", "设施类型", "设备类型"),
    "planned_year": ("year", "计划年份", "计划年度"),
    "planned_capex": ("plan capex", "计划投资", "概算金额", "计划金额"),
    "planned_opex": ("plan opex", "计划年运维费", "年运维费"),
    "length_m": ("length", "长度", "管道长度", "沟槽长度"),
    "completion": (
        "completion date", "rescheduled to", "计划竣工日期", "调整后竣工日期", "预计竣工日期", "工期顺延至",
    ),
    "reason": ("note", "原因", "备注", "说明"),
})  # fmt: skip
"""Columns of acceptance records by what they are called here, with the other names they may bear."""

PROJECT_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "id": ("project", "project id", "编号", "项目编号"),
    "name": ("project name", "名称", "项目名称"),
    "owner": ("enterprise", "企业", "企业名称", "业主", "建设单位", "牵头单位"),
    "industry": ("industry code", "行业", "行业代码", "国民经济行业代码", "行业类别"),
    "scenario": ("scenarios", "场景", "应用场景", "典型应用场景"),
    "park": ("园区", "产业园区", "所在园区"),
    "planned_capex": ("investment", "投资", "投资额", "总投资", "计划投资"),
    "registered": ("registered on", "登记日期", "备案日期", "申报日期"),
    "state": ("status", "状态", "项目状态", "建设状态"),
    "date": ("day", "日期", "状态日期"),
    "evidence": ("evidence file", "证据文件", "附件", "证明材料"),
    "reason": ("note", "原因", "备注", "说明"),
})  # fmt: skip
"""Columns of project registers, likewise."""

MONEY_COLUMNS = ("contract_capex", "settled_capex", "payment", "paid_total", "planned_capex", "planned_opex")

STATE_WORDS: Mapping[str, int] = MappingProxyType({
    **{name: code for code, name in enumerate(STATES)},
    **{name.replace("_", " "): code for code, name in enumerate(STATES)},
    "规划": 0, "已规划": 0, "计划": 0, "拟建": 0,
    "批准": 1, "已批准": 1, "批复": 1, "已批复": 1, "立项": 1, "已立项": 1, "审批通过": 1,
    "签约": 2, "已签约": 2, "已签合同": 2, "合同签订": 2, "已发包": 2,
    "在建": 3, "施工中": 3, "建设中": 3, "开工": 3, "已开工": 3,
    "建成": 4, "已建成": 4, "完工": 4, "已完工": 4, "竣工": 4, "已竣工": 4,
    "验收": 5, "已验收": 5, "验收通过": 5, "验收合格": 5,
    "在用": 6, "使用中": 6, "投用": 6, "已投用": 6, "投运": 6, "已投运": 6, "运行": 6, "已开通": 6,
    "退役": 7, "已退役": 7, "拆除": 7, "已拆除": 7,
    "取消": 8, "已取消": 8, "撤销": 8, "已撤销": 8, "canceled": 8,
})  # fmt: skip
"""What a sheet may call the states, by position in ``STATES``."""

TECHNOLOGY_WORDS: Mapping[str, str] = MappingProxyType({
    "radio": "radio", "5g": "radio", "无线": "radio", "基站": "radio",
    "fibre": "fibre", "fiber": "fibre", "光纤": "fibre", "光纤接入": "fibre", "宽带": "fibre",
    "compute": "compute", "算力": "compute", "边缘计算": "compute", "机房": "compute",
    "trench": "trench", "管道": "trench", "沟槽": "trench", "管道沟槽": "trench",
})  # fmt: skip

KNOWN_STATES = f"{', '.join(STATES)}, or in Chinese, such as 已验收"
KNOWN_TECHNOLOGIES = "radio (无线), fibre (光纤), compute (算力), trench (管道)"
"""What a message says of the words that are known."""

_UNITS = {
    "": 1, "元": 1, "cny": 1, "usd": 1, "rmb": 1, "人民币元": 1, "m": 1, "米": 1, "currency": 1,
    "万元": 10_000, "千元": 1_000, "10k": 10_000, "thousand": 1_000, "百万元": 1_000_000, "million": 1_000_000,
    "亿元": 100_000_000, "km": 1_000, "公里": 1_000, "wgs84": 1, "wgs-84": 1, "度": 1, "°": 1, "deg": 1,
}  # fmt: skip
_WITH_UNIT = re.compile(r"^(?P<name>[^(（\[]*)[(（\[](?P<unit>[^)）\]]*)[)）\]]\s*$")


@dataclass(frozen=True, slots=True)
class Heading:
    """A column: its place in the sheet, what it is called there, and how many units one of its own holds."""

    place: int
    text: str
    factor: int


def plain(text: str) -> str:
    """Return ``text`` as names are compared: no blanks around, one within, small letters, no underscores."""
    return " ".join(text.replace("_", " ").replace("\u3000", " ").split()).lower()


def recognised(texts: Sequence[str], columns: Mapping[str, tuple[str, ...]]) -> int:
    """Return how many of ``texts`` name one of ``columns``."""
    names = _names(columns)
    return sum(plain(_split(text)[0]) in names for text in texts)


def read_headings(
    sheet: str, texts: Sequence[str], columns: Mapping[str, tuple[str, ...]], needed: Sequence[str]
) -> tuple[dict[str, Heading], list[Fault]]:
    """Return the headings of a sheet by the names of ``columns``, and what is wrong with them."""
    names = _names(columns)
    found: dict[str, Heading] = {}
    faults: list[Fault] = []
    for place, text in enumerate(texts):
        title, unit = _split(text)
        name = names.get(plain(title), "")
        if not text:
            continue
        if not name:
            close = difflib.get_close_matches(plain(title), names, 1)
            hint = f"Did you mean {close[0]!r}? " if close else ""
            faults.append(
                Fault(
                    sheet, f"nothing reads the column {text!r}", f"{hint}Rename it, remove it, or name it in --ignore."
                )
            )
        elif plain(unit) not in _UNITS:
            remedy = "Use 元, 千元, 万元, 百万元, 亿元, CNY, USD, thousand or million; m or km for lengths."
            faults.append(Fault(sheet, f"the unit of the column {text!r} is unknown", remedy))
        elif name in found:
            message = f"the columns {found[name].text!r} and {text!r} both hold the {name}"
            faults.append(Fault(sheet, message, "Keep one of them."))
        else:
            found[name] = Heading(place, text, _UNITS[plain(unit)])
    faults += list(_missing(sheet, found, columns, needed))
    return found, faults


def _missing(
    sheet: str, found: Mapping[str, Heading], columns: Mapping[str, tuple[str, ...]], needed: Sequence[str]
) -> Iterator[Fault]:
    for name in needed:
        if name not in found:
            others = ", ".join(columns[name])
            yield Fault(sheet, f"the column {name!r} is missing", f"Add it; it may also be called {others}.")


def _names(columns: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {plain(text): name for name, others in columns.items() for text in (name, *others)}


def _split(text: str) -> tuple[str, str]:
    """Return a heading's name and the unit in brackets behind it, empty where there is none."""
    match = _WITH_UNIT.match(text.strip())
    return (match["name"], match["unit"]) if match else (text, "")
