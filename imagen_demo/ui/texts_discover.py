"""Texts of the Discover tab, in English and Chinese."""

from __future__ import annotations

TEXTS = {
    "tab_discover": ("Discover", "发现"),
    "v_views": ("Ways to discover", "发现的方式"),
    "v_map": ("Map", "地图"),
    "v_breed": ("Breed", "繁育"),
    "v_mix": ("Mix", "混合"),
    "v_grid": ("Grid", "网格"),
    "v_chosen": ("The chosen picture", "选中的图片"),
    "v_seed": ("Seed {seed}", "种子 {seed}"),
    "v_blend": ("Blend of seeds {seeds}", "种子 {seeds} 的混合"),
    "v_fine_from": ("fine layers of seed {seeds} from layer {split}", "第 {split} 层起的细节取自种子 {seeds}"),
    "v_moved": ("moved in {count} directions", "沿 {count} 个方向移动"),
    "v_copy": ("Copy link", "复制链接"),
    "v_copied": ("Link copied: it opens on exactly this picture.", "链接已复制，打开即是这张图片。"),
    "v_pictures": ("{done} of {total} pictures", "{done} / {total} 张图片"),
    "v_to_breed": ("Breed from it", "以它繁育"),
    "v_to_grid": ("Make a grid", "制作网格"),
    # map
    "v_map_help": ("Similar pictures lie side by side. Drag to move, wheel or pinch to zoom; with the keyboard: "
                   "arrows to walk, + and − to zoom, 0 to see all, Enter to choose.",
                   "相似的图片彼此相邻。拖动平移，滚轮或双指缩放；键盘：方向键行走，+ 与 − 缩放，0 看全图，回车选择。"),
    "v_map_label": ("Map of seeds by similarity", "按相似度排列的种子地图"),
    "v_map_at": ("Seed {seed}, {number} of {total}", "种子 {seed}，第 {number} 张，共 {total} 张"),
    "v_count": ("Pictures", "数量"),
    "v_first": ("First seed", "起始种子"),
    "v_by": ("Similar", "相似依据"),
    "v_by_w": ("for the network (w)", "网络内部 (w)"),
    "v_by_look": ("to the eye", "外观"),
    "v_tidy": ("In rows, without overlaps", "整齐排列，互不遮挡"),
    "v_elsewhere": ("Other seeds", "换一批种子"),
    "v_zoom_in": ("Zoom in", "放大"),
    "v_zoom_out": ("Zoom out", "缩小"),
    "v_zoom_all": ("See all", "看全图"),
    "v_between": ("Blend the middle", "混合中央"),
    "v_between_help": ("A click between pictures makes a new one out of the four nearest; the button, or B, does so in "
                       "the middle of the view.",
                       "点击图片之间的空处，即由最近的四张混合出新图片；按钮或 B 键则取视图中央。"),
    "v_all_classes": ("All in turn", "轮流全部"),
    "v_stage_waiting": ("Waiting for another map", "正在等待另一张地图"),
    "v_stage_measuring": ("Comparing the pictures: {share}%", "正在比较图片：{share}%"),
    "v_stage_arranging": ("Arranging them", "正在排布"),
    "v_arranged": ("Arranged: {total} pictures", "已排布 {total} 张图片"),
}  # fmt: skip
