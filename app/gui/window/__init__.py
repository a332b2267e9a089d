"""Main window: layout, menus, commands, drag and drop."""
