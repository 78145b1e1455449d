"""A layout to draw panels on without a window: properties and operators have to exist, and the text is remembered."""

from __future__ import annotations

import bpy


class Paper:
    """Stands in for bpy.types.UILayout."""

    def __init__(self, text: list[str] | None = None) -> None:
        self.__dict__["text"] = text if text is not None else []

    def __setattr__(self, name: str, _value: object) -> None:
        assert name in bpy.types.UILayout.bl_rna.properties, f"a layout has no {name}"

    def _part(self, **_options: object) -> Paper:
        return Paper(self.text)

    row = column = split = box = column_flow = _part

    def separator(self, **_options: object) -> None:
        """Nothing to see."""

    def label(self, text: str = "", icon: str = "NONE") -> None:
        assert icon in bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items
        self.text.append(text)

    def prop(self, data: bpy.types.bpy_struct, name: str, text: str | None = None, **_options: object) -> None:
        described = data.bl_rna.properties[name]
        self.text.append(described.name if text is None else text)

    def prop_search(
        self,
        data: bpy.types.bpy_struct,
        name: str,
        where: bpy.types.bpy_struct,
        items: str,
        text: str | None = None,
        **_options: object,
    ) -> None:
        assert where.bl_rna.properties[items].type == "COLLECTION"
        self.prop(data, name, text)

    def template_icon(self, icon_value: int, scale: float = 1.0) -> None:
        assert icon_value > 0
        assert scale >= 1.0

    def operator(self, name: str, text: str | None = None, **_options: object) -> object:
        group, operator = name.split(".")
        made = getattr(getattr(bpy.ops, group), operator)
        self.text.append(made.get_rna_type().name if text is None else text)
        return type("Options", (), {})()

    def template_list(
        self,
        kind: str,
        _id: str,
        data: bpy.types.bpy_struct,
        items: str,
        active: bpy.types.bpy_struct,
        index: str,
        **_o: object,
    ) -> None:
        drawn = getattr(bpy.types, kind)
        assert index in active.bl_rna.properties
        for number, item in enumerate(getattr(data, items)):
            drawn.draw_item(None, bpy.context, self, data, item, 0, active, index, number)


def drawn(panel: type) -> list[str] | None:
    """What a panel shows now; None: it is not shown."""
    if hasattr(panel, "poll") and not panel.poll(bpy.context):
        return None
    paper = Paper()
    itself = type("Panel", (), {"layout": paper})()
    if "draw_header" in vars(panel):
        panel.draw_header(itself, bpy.context)
    panel.draw(itself, bpy.context)
    return paper.text
