//! Values from their text.
